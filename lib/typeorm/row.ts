/** Drivers answer NULL as null and BIGINT as a string or a number. */
export function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function optionalNumber(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

/** Of those columns in which 0 stands for none. */
export function optionalMoment(value: unknown): number | undefined {
  const moment = Number(value ?? 0);
  return moment === 0 ? undefined : moment;
}

/** The largest number of the column stands for no limit. */
export const ENDLESS_RETRIES = 2_147_483_647;

export function optionalRetries(value: unknown): number | undefined {
  const retries = optionalNumber(value);
  return retries === ENDLESS_RETRIES ? Infinity : retries;
}

export function optionalDate(value: unknown): Date | undefined {
  return value === null || value === undefined ? undefined : new Date(Number(value));
}

/** Our own columns hold JSON; plain SQL may have written something else, which is then shown as it is. */
export function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Ids are opaque to users, so any string may come: one that is no number of ours is the id of no job. */
export function numericId(id: string): number {
  return /^\d{1,15}$/.test(id) ? Number(id) : -1;
}
