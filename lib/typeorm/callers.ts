import type { JobManager } from '../repository/job-repository.js';
import type { ApplicationDataSource } from './application-data-source.js';
import { CallerConnections } from './caller-connections.js';
import { callerRunner, CallerSessions, isTypeOrm } from './caller-session.js';
import type { Connected } from './queue-connection.js';
import type { Script } from './statement.js';
import { Turns } from './turns.js';

/** Where a caller's manager leads: into its transaction, whichever library that is of. */
export class Callers {
  private readonly turns = new Turns();
  private readonly sessions = new CallerSessions(this.turns);
  private readonly connections = new CallerConnections(this.turns);

  constructor(private readonly application: ApplicationDataSource) {}

  /** Runs a script in the caller's transaction; for a manager outside of any, on a connection of ours. */
  async run<T>(manager: JobManager, connected: Connected, script: () => Script<T>): Promise<T> {
    const { database, tables } = connected;
    if (!isTypeOrm(manager)) return this.connections.run(manager, connected, script());
    const runner = callerRunner(manager, this.application.get());
    if (runner === undefined) return database.transaction(script);
    return this.sessions.run(runner, tables.dialect, script());
  }
}
