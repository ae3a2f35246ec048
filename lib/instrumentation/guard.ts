export type Tell = (error: unknown) => void;

/** Between jobs and the code of those who look on. */
export class Guard {
  constructor(readonly tell: Tell) {}

  /** What it throws is told, and so is what its promise fails with: nobody else would handle that, and the process would end. */
  call<T>(theirs: () => T): T | undefined {
    try {
      const answer = theirs();
      if (isThenable(answer)) Promise.resolve(answer).catch(this.tell);
      return answer;
    } catch (error) {
      this.tell(error);
      return undefined;
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}
