import type { JobLevel } from '../job/job.js';

/** In bytes: PostgreSQL carries 8,000 at most. */
export const LARGEST_MESSAGE = 7_900;
export const MOST_LEVELS = 100;
const HIGHEST_PRIORITY = 9;

export interface Hint {
  /** Which process has sent it. */
  readonly from: string;
  readonly service: string;
  /** None: something has changed. */
  readonly levels: readonly JobLevel[];
}

export function encodeHint({ levels, ...rest }: Hint): string {
  const message = JSON.stringify({ ...rest, levels: levels.map(({ type, priority }) => [type, priority]) });
  return Buffer.byteLength(message) > LARGEST_MESSAGE ? encodeHint({ ...rest, levels: [] }) : message;
}

/** `undefined`: it is none of ours. Anybody may have sent it. */
export function decodeHint(message: unknown): Hint | undefined {
  if (typeof message !== 'string' || message.length > LARGEST_MESSAGE) return undefined;
  const { from, service, levels } = parse(message);
  if (typeof from !== 'string' || typeof service !== 'string') return undefined;
  if (!Array.isArray(levels) || levels.length > MOST_LEVELS || !levels.every(isLevel)) return undefined;
  return { from, service, levels: levels.map(([type, priority]) => ({ type, priority })) };
}

function parse(message: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(message)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function isLevel(level: unknown): level is [string, number] {
  if (!Array.isArray(level)) return false;
  const [type, priority] = level as unknown[];
  return (
    typeof type === 'string' &&
    Number.isInteger(priority) &&
    Number(priority) >= 0 &&
    Number(priority) <= HIGHEST_PRIORITY
  );
}
