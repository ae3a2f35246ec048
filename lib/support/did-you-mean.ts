import leven from 'leven';
import { UnknownOptionError } from '../errors/unknown-option.error.js';

/** Throws for the first property of `given` that is not one of `known`, naming the nearest one. */
export function refuseUnknownOptions(owner: string, given: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) throw new UnknownOptionError(owner, name, value, known, nearest(name, known));
  }
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: leven(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, name.length * 0.4) ? best.candidate : undefined;
}
