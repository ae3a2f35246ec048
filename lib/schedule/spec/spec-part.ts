import { InvalidScheduleError } from '../../errors/invalid-schedule.error.js';

/** A piece of a spec that knows where it stands, so that a fault in it can be pointed at. */
export class SpecPart {
  constructor(
    private readonly spec: string,
    readonly position: number,
    readonly text: string,
  ) {}

  /** The piece that begins at `start` and ends before `end`, both counted within this one. */
  slice(start: number, end?: number): SpecPart {
    return new SpecPart(this.spec, this.position + start, this.text.slice(start, end));
  }

  /** The pieces that `pattern` finds; it must be global. */
  match(pattern: RegExp): SpecPart[] {
    return [...this.text.matchAll(pattern)].map(({ index, 0: text }) => this.slice(index, index + text.length));
  }

  split(separator: string): SpecPart[] {
    let start = 0;
    return this.text.split(separator).map((text) => {
      const part = this.slice(start, start + text.length);
      start += text.length + separator.length;
      return part;
    });
  }

  fault(mistake: string, cure: string): InvalidScheduleError {
    return new InvalidScheduleError('spec', this.spec, mistake, cure, this.position);
  }
}
