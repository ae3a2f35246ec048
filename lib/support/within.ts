/**
 * What `work` answers; or the rejection `late()` after so many milliseconds, or the reason of the signal. `work` itself may go on then,
 * and nobody listens to it.
 */
export async function within<T>(
  milliseconds: number,
  work: () => T | Promise<T>,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  let end: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    const abort = () => reject(signal?.reason as Error);
    const timer = setTimeout(() => reject(late()), milliseconds);
    signal?.addEventListener('abort', abort);
    end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([work(), limit]);
  } finally {
    end?.();
  }
}
