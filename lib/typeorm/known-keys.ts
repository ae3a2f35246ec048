import type { WaitingKey, WaitingKeys } from './statements/waiting-keys.js';

/** For how long they are believed to be all, in milliseconds: finding them costs more than a claim. */
const LIFE = 100;
/** Where it costs so much that it would be most of the work, they are believed for so many times as long as that took. */
const LONG_LIFE = 10;

interface Found extends WaitingKeys {
  /** They are the next ones below this; `undefined`: the highest of all. */
  readonly below: string | undefined;
  readonly until: number;
}

/** The keys under which jobs of each type waited when they were last looked for. */
export class KnownKeys {
  private readonly byType = new Map<string, Found>();

  /** They were looked for from `began` to `now`. */
  found(type: string, below: string | undefined, { keys, lowest }: WaitingKeys, began: number, now: number): void {
    const life = Math.max(LIFE, LONG_LIFE * (now - began));
    this.byType.set(type, { keys, lowest, below, until: now + life });
  }

  forget(type: string): void {
    this.byType.delete(type);
  }

  /** The best priority of each; `undefined`: they have to be looked for. */
  priorities(type: string, now: number): ReadonlyMap<string, number> | undefined {
    const found = this.byType.get(type);
    if (found === undefined || now > found.until) return undefined;
    return new Map(found.keys.map(({ key, priority }) => [key, priority]));
  }

  /** The next ones below a key; `undefined`: they have to be looked for. */
  next(type: string, below: string | undefined, now: number): WaitingKeys | undefined {
    const found = this.byType.get(type);
    if (found === undefined || now > found.until) return undefined;
    const keys = below === found.below ? found.keys : keysBelow(found.keys, below);
    const isEnd = keys?.length === 0 && found.lowest !== undefined;
    return keys === undefined || isEnd ? undefined : { keys, lowest: found.lowest };
  }
}

/** In the order that they have: it is the database's. */
function keysBelow(keys: readonly WaitingKey[], below: string | undefined): readonly WaitingKey[] | undefined {
  const place = keys.findIndex(({ key }) => key === below);
  return place < 0 ? undefined : keys.slice(place + 1);
}
