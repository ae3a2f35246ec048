/** Kinds are counted apart up to here, so that names that somebody has made up cannot fill the memory. */
const MOST_KINDS = 1_000;

interface Kind<Sample> {
  readonly sample: Sample;
  told: number;
  untold: number;
}

export interface RepeatOptions<Sample> {
  /** How many of a kind are told in a window. */
  readonly most: number;
  /** Milliseconds. */
  readonly window: number;
  /** Called at the end of the window. `sample`: of the first of its kind. */
  readonly tellRest: (sample: Sample, untold: number) => void;
}

/** Ten thousand failures a second are a line for the first ones, and one for how many more there were. */
export class Repeats<Sample> {
  private readonly kinds = new Map<string, Kind<Sample>>();
  private windowEnd: NodeJS.Timeout | undefined;

  constructor(private readonly options: RepeatOptions<Sample>) {}

  /** Whether one more is to be told. The first of a kind is, as long as there are not too many kinds: then the first ones of a group. */
  admits(kind: string, group: string, readSample: () => Sample): boolean {
    const found = this.find(kind, group, readSample);
    const isTold = found.told < this.options.most;
    if (isTold) found.told++;
    else found.untold++;
    return isTold;
  }

  /** Tells what has not been told, and begins anew. */
  flush(): void {
    clearTimeout(this.windowEnd);
    this.windowEnd = undefined;
    const kinds = [...this.kinds.values()];
    this.kinds.clear();
    for (const { sample, untold } of kinds) if (untold > 0) this.options.tellRest(sample, untold);
  }

  private find(kind: string, group: string, readSample: () => Sample): Kind<Sample> {
    const key = this.kinds.has(kind) || this.kinds.size < MOST_KINDS ? kind : group;
    let found = this.kinds.get(key);
    if (found === undefined) this.kinds.set(key, (found = { sample: readSample(), told: 0, untold: 0 }));
    this.windowEnd ??= setTimeout(() => this.flush(), this.options.window).unref();
    return found;
  }
}
