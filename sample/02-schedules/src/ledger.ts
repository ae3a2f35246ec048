const SECOND = 1_000;

interface Entry {
  fired?: number;
  readonly ran: number[];
}

/** Who has fired which second, and who has run its job. */
export class Ledger {
  private readonly entries = new Map<string, Entry>();

  enter(process: number, what: 'fired' | 'ran', key: string): void {
    const entry = this.entries.get(key) ?? { ran: [] };
    this.entries.set(key, entry);
    if (what === 'fired') entry.fired = process;
    else entry.ran.push(process);
    if (entry.fired === undefined || entry.ran.length === 0) return;
    const [, time = ''] = key.split('@');
    console.log(`  ${time.slice(11, 19)}  fired by process ${entry.fired}, run by process ${entry.ran.join(' and ')}`);
  }

  /** No second is missing between the first and the last, and none came twice. */
  get isRight(): boolean {
    return this.missing === 0 && this.twice === 0 && this.entries.size > 0;
  }

  summary(): string {
    return `${this.entries.size} seconds, missing ${this.missing}, run twice ${this.twice}`;
  }

  private get missing(): number {
    const times = [...this.entries.keys()].map((key) => Date.parse(key.slice(key.indexOf('@') + 1)));
    const span = (Math.max(...times) - Math.min(...times)) / SECOND + 1;
    return span - times.length;
  }

  private get twice(): number {
    return [...this.entries.values()].filter(({ ran }) => ran.length > 1).length;
  }
}
