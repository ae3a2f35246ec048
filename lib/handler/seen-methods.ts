import type { DecoratedMethod } from './decorated-method.scanner.js';

type Method = Pick<DecoratedMethod<unknown>, 'class' | 'method'>;

/** Methods that a look has dealt with: the next look is for those that have come since. */
export class SeenMethods {
  private readonly byClass = new Map<object, Set<string>>();

  has({ class: owner, method }: Method): boolean {
    return this.byClass.get(owner)?.has(method) ?? false;
  }

  add({ class: owner, method }: Method): void {
    const seen = this.byClass.get(owner);
    if (seen === undefined) this.byClass.set(owner, new Set([method]));
    else seen.add(method);
  }
}
