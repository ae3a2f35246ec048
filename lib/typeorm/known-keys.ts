import type { WaitingKey, WaitingKeys } from './statements/waiting-keys.js';

/** For how long they are believed to be all, in milliseconds: finding them costs more than a claim. */
const LIFE = 100;
/** Where that would be most of the work, they are believed for so many times as long as it took, but no longer than half a second. */
const TIMES = 10;
const LONGEST_LIFE = 500;

/** Keys that come next. */
export interface NextKeys extends WaitingKeys {
  /** They are the next ones below this; `undefined`: the highest of all. */
  readonly below: string | undefined;
}

/** What a look has come to. */
export interface Look extends NextKeys {
  /** From its begin to the end of its claim, in milliseconds. */
  readonly took: number;
  /** A slot that comes free may go to the next job of its key, without a look. */
  readonly mayHandOver: boolean;
}

interface Known extends Look {
  readonly until: number;
}

/** Whether there are no others. */
export function areAll({ below, lowest }: NextKeys): boolean {
  return below === undefined && lowest === undefined;
}

/** The keys under which jobs of each type waited when they were last looked for. */
export class KnownKeys {
  private readonly byType = new Map<string, Known>();

  looked(type: string, look: Look, now: number): void {
    const life = Math.min(Math.max(LIFE, TIMES * look.took), LONGEST_LIFE);
    this.byType.set(type, { ...look, until: now + life });
  }

  forget(type: string): void {
    const known = this.byType.get(type);
    if (known !== undefined) this.byType.set(type, { ...known, until: -Infinity });
  }

  /** The best priority of each, where slots may be handed over; `undefined`: they have to be looked for. */
  heirs(type: string, now: number): ReadonlyMap<string, number> | undefined {
    const known = this.believed(type, now);
    if (known?.mayHandOver !== true) return undefined;
    return new Map(known.keys.map(({ key, priority }) => [key, priority]));
  }

  /** All of them, or the next ones below a key; `undefined`: they have to be looked for. */
  next(type: string, below: string | undefined, now: number): NextKeys | undefined {
    const known = this.believed(type, now);
    if (known === undefined || areAll(known)) return known;
    const keys = below === known.below ? known.keys : keysBelow(known.keys, below);
    const isEnd = keys?.length === 0 && known.lowest !== undefined;
    return keys === undefined || isEnd ? undefined : { keys, lowest: known.lowest, below };
  }

  /** What was found last, however long ago. */
  before(type: string): readonly WaitingKey[] {
    return this.byType.get(type)?.keys ?? [];
  }

  /** Where to look for those below a key: from the highest on, where the last look has found all. */
  placeOf(type: string, below: string | undefined): string | undefined {
    const known = this.byType.get(type);
    return known === undefined || areAll(known) ? undefined : below;
  }

  private believed(type: string, now: number): Known | undefined {
    const known = this.byType.get(type);
    return known !== undefined && now <= known.until ? known : undefined;
  }
}

/** In the order that they have: it is the database's. */
function keysBelow(keys: readonly WaitingKey[], below: string | undefined): readonly WaitingKey[] | undefined {
  const place = keys.findIndex(({ key }) => key === below);
  return place < 0 ? undefined : keys.slice(place + 1);
}
