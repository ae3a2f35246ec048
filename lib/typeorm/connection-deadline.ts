import type { Duplex } from 'node:stream';

/**
 * A network that silently drops a connection answers nothing for many minutes, and the driver waits. After `deadline` milliseconds
 * the connection is broken from our side: its statement fails as with any lost connection, and the pool opens another one.
 */
export async function answerWithin<T>(deadline: number, connection: object, answer: Promise<T>): Promise<T> {
  const timer = setTimeout(
    () => breakConnection(connection, `the database has not answered within ${deadline} ms`),
    deadline,
  );
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}

export function breakConnection(connection: object, why: string): void {
  socketOf(connection)?.destroy(new Error(`Connection lost: ${why}`));
}

/** mysql2 keeps its socket in `stream`; pg's client in `connection.stream`. */
function socketOf(connection: object): Duplex | undefined {
  const inner: unknown = Reflect.get(connection, 'connection');
  const owner = typeof inner === 'object' && inner !== null && 'stream' in inner ? inner : connection;
  return Reflect.get(owner, 'stream') as Duplex | undefined;
}
