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

  /** There are no more keys below. What a round has passed by may have come free, if it has claimed anything or began half-way. */
  ended(
    type: string,
    seen: Pick<Round, 'hasClaimed' | 'isHeldBack'>,
    mayBeMore: boolean,
  ): 'none' | 'some' | 'held back' {
    const round = this.byType.get(type) ?? START;
    this.byType.delete(type);
    const isWhole = round.below === undefined;
    if (mayBeMore || (!isWhole && (round.hasClaimed || seen.hasClaimed))) return 'some';
    return round.isHeldBack || seen.isHeldBack ? 'held back' : 'none';
  }
}
