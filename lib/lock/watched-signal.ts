/**
 * The same signal, which first calls `look` whenever it is asked: a process that was stopped goes on in the middle of its code, and
 * asks before any timer has had a turn.
 */
export function watchedSignal(signal: AbortSignal, look: () => void): AbortSignal {
  const isAborted = () => Reflect.get(AbortSignal.prototype, 'aborted', signal);
  Object.defineProperties(signal, {
    aborted: {
      get: () => {
        look();
        return isAborted();
      },
    },
    throwIfAborted: {
      value: () => {
        look();
        if (isAborted()) throw signal.reason;
      },
    },
  });
  return signal;
}
