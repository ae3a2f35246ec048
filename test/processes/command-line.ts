/** What the test asks for: one command line, and the variables it finds. */
export interface CommandRequest {
  args: string[];
  env: Record<string, string>;
}

export interface CommandAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The packed program's own function: what its main file calls. */
const { run } = (await import(process.argv[2] ?? '')) as { run: (args: string[]) => Promise<number> };

/** Runs one command line after another: Node, Nest and TypeORM are loaded once for all of them. */
async function answer({ args, env }: CommandRequest): Promise<CommandAnswer> {
  Object.assign(process.env, env);
  const written = { stdout: '', stderr: '' };
  const restore = [capture('stdout'), capture('stderr')];
  try {
    return { exitCode: await run(args), ...written };
  } finally {
    for (const undo of restore) undo();
  }

  function capture(name: 'stdout' | 'stderr'): () => void {
    const stream = process[name];
    const write = stream.write.bind(stream);
    stream.write = (text: string | Uint8Array) => {
      written[name] += String(text);
      return true;
    };
    return () => {
      stream.write = write;
    };
  }
}

// The test waits for one answer before it asks for the next.
process.on('message', (request: CommandRequest) => {
  void answer(request).then((answered) => process.send?.(answered));
});
// A test that dies must not leave it behind.
process.on('disconnect', () => process.exit(1));
