/** Nothing fires before 1970 or after the year 9998: the years that a Date and every database can hold end not far beyond. */
const START = 0;
const END = Date.UTC(9999, 0);

/** When a schedule fires. Without state: every node computes the same times. */
export interface FireTimes {
  /** The first fire time strictly after the moment (UTC epoch ms); undefined: never again. */
  next(after: number): number | undefined;
}

/** The moment to look after; undefined: nothing can come after it. */
export function startOfSearch(after: number): number | undefined {
  return after < END ? Math.max(after, START - 1) : undefined;
}
