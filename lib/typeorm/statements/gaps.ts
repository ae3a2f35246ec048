/** What lies between two names that are known, these excluded. The last gap has no end. */
export interface Gap {
  readonly above: string;
  readonly below: string | undefined;
}

export function gapsBetween(names: readonly string[]): Gap[] {
  const known = [...new Set(names)].sort(byBytes);
  return ['', ...known].map((above, index) => ({ above, below: known[index] }));
}

/** As the databases compare names. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
