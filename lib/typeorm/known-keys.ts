import type { WaitingKey, WaitingKeys } from './statements/waiting-keys.js';

/** For how long they are believed to be all, in milliseconds: finding them costs more than a claim. */
const LIFE = 100;

interface Found extends WaitingKeys {
  /** They are the next ones below this; `undefined`: the highest of all. */
  readonly below: string | undefined;
  readonly at: number;
}

/** The keys under which jobs of each type waited when they were last looked for. */
export class KnownKeys {
  private readonly byType = new Map<string, Found>();

  found(type: string, below: string | undefined, { keys, lowest }: WaitingKeys, now: number): void {
    this.byType.set(type, { keys, lowest, below, at: now });
  }

  forget(type: string): void {
    this.byType.delete(type);
  }

  /** The next ones below a key; `undefined`: they have to be looked for. */
  next(type: string, below: string | undefined, now: number): WaitingKeys | undefined {
    const found = this.byType.get(type);
    if (found === undefined || now - found.at > LIFE) return undefined;
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
