import { byBytes } from './statements/gaps.js';

/** Where a node is on its way round the keys of one type, from above. */
interface Round {
  /** The next keys are below it; `undefined`: from the highest. */
  readonly below: string | undefined;
  /** Since the highest. */
  readonly hasClaimed: boolean;
  readonly isHeldBack: boolean;
}

const START: Round = { below: undefined, hasClaimed: false, isHeldBack: false };

/** Each node goes round the keys by itself, so that none of them starves, however many come before it. */
export class KeyRounds {
  private readonly byType = new Map<string, Round>();

  below(type: string): string | undefined {
    return this.byType.get(type)?.below;
  }

  /** The last key that was served; answers what may still be claimed. */
  wentTo(type: string, key: string, seen: Pick<Round, 'hasClaimed' | 'isHeldBack'>): 'some' {
    const before = this.byType.get(type) ?? START;
    this.byType.set(type, {
      below: key,
      hasClaimed: before.hasClaimed || seen.hasClaimed,
      isHeldBack: before.isHeldBack || seen.isHeldBack,
    });
    return 'some';
  }

  /** The keys in the order in which they have their turns: those below the last one that was served, then the others. */
  inTurn<Key extends { readonly key: string }>(type: string, keys: readonly Key[]): readonly Key[] {
    const below = this.below(type);
    if (below === undefined) return keys;
    const isBelow = ({ key }: Key) => byBytes(key, below) < 0;
    return [...keys.filter(isBelow), ...keys.filter((each) => !isBelow(each))];
  }

  /** All keys have had their turn. */
  ofAll(type: string, { isHeldBack }: Pick<Round, 'isHeldBack'>, mayBeMore: boolean): 'none' | 'some' | 'held back' {
    this.byType.delete(type);
    if (mayBeMore) return 'some';
    return isHeldBack ? 'held back' : 'none';
  }

  /** There are no more keys below. What the round has passed by may have come free, if it has claimed anything. */
  ended(
    type: string,
    seen: Pick<Round, 'hasClaimed' | 'isHeldBack'>,
    mayBeMore: boolean,
  ): 'none' | 'some' | 'held back' {
    const round = this.byType.get(type) ?? START;
    this.byType.delete(type);
    if (mayBeMore || round.hasClaimed || seen.hasClaimed) return 'some';
    return round.isHeldBack || seen.isHeldBack ? 'held back' : 'none';
  }
}
