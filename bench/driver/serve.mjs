/**
 * What a child process does: it waits for one message, works, and answers. It ends when its parent has gone or has heard enough.
 */
export function serve(work) {
  process.once('disconnect', () => process.exit());
  process.once('message', (spec) => {
    work(spec).catch((error) => tell({ name: 'failed', error: error.stack ?? String(error) }));
  });
  process.on('uncaughtException', (error) => tell({ name: 'failed', error: error.stack ?? String(error) }));
}

export function tell(message) {
  if (process.connected) process.send(message);
}
