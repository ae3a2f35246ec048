export type Parameter = string | number | null;

/** SQL with `?` for each parameter; the dialect turns them into what its driver wants. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  /** It has the same text each time, and is worth being prepared under this name where the client can. */
  readonly name?: string;
}

export type Row = Record<string, unknown>;

export interface Result {
  readonly rows: readonly Row[];
  readonly affected: number;
  readonly insertId: number;
}

/**
 * A piece of work on one connection, as a generator: it yields statements and is handed their results. The same script runs
 * with an await for each statement on a server, and without any on SQLite, where a write transaction that stayed open across
 * an await would freeze the application's own writes.
 */
export type Script<T> = Generator<Statement, T, Result>;

export function statement(sql: string, parameters: readonly Parameter[] = []): Statement {
  return { sql, parameters };
}

/** Runs a script with an asynchronous executor. An error is thrown into the script, which may clean up behind itself. */
export async function drive<T>(script: Script<T>, execute: (statement: Statement) => Promise<Result>): Promise<T> {
  let step = script.next();
  while (!step.done) {
    const outcome = await execute(step.value).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    step = 'result' in outcome ? script.next(outcome.result) : script.throw(outcome.error);
  }
  return step.value;
}

/** Runs a script to its end without giving up the event loop. */
export function driveSync<T>(script: Script<T>, execute: (statement: Statement) => Result): T {
  let step = script.next();
  while (!step.done) {
    let result: Result;
    try {
      result = execute(step.value);
    } catch (error) {
      step = script.throw(error);
      continue;
    }
    step = script.next(result);
  }
  return step.value;
}
