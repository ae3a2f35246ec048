import { describe, expect, it } from '@jest/globals';
import { KnownKeys, type Look } from '../../../lib/typeorm/known-keys.js';

const KEYS = ['c', 'b', 'a'].map((key) => ({ key, priority: 0 }));
const look = (more: Partial<Look> = {}): Look => ({
  keys: KEYS,
  below: undefined,
  lowest: undefined,
  took: 1,
  mayHandOver: true,
  ...more,
});

describe('the keys that were found under a type', () => {
  it.each([
    [1, 100],
    [30, 300],
    [5_000, 500],
  ])('in %i ms are believed for %i', (took, life) => {
    const known = new KnownKeys();
    known.looked('t', look({ took }), 0);
    expect(known.next('t', undefined, life)?.keys).toEqual(KEYS);
    expect(known.heirs('t', life)?.size).toBe(3);
    expect(known.next('t', undefined, life + 1)).toBeUndefined();
    expect(known.heirs('t', life + 1)).toBeUndefined();
  });

  it('are all to be served, wherever the round is, when they are all that there are', () => {
    const known = new KnownKeys();
    known.looked('t', look(), 0);
    expect(known.next('t', 'b', 0)?.keys).toEqual(KEYS);
    expect(known.placeOf('t', 'b')).toBeUndefined();
  });

  it('are served from above, when there are others below them', () => {
    const known = new KnownKeys();
    known.looked('t', look({ lowest: 'a' }), 0);
    expect(known.next('t', 'c', 0)?.keys).toEqual(KEYS.slice(1));
    expect(known.next('t', 'a', 0)).toBeUndefined();
    expect(known.placeOf('t', 'a')).toBe('a');
  });

  it('inherit nothing where it is not slots that are scarce, or where they were found to be wrong', () => {
    const known = new KnownKeys();
    known.looked('t', look({ mayHandOver: false }), 0);
    expect(known.heirs('t', 0)).toBeUndefined();
    known.looked('t', look(), 0);
    known.forget('t');
    expect(known.heirs('t', 0)).toBeUndefined();
    expect(known.before('t')).toEqual(KEYS);
  });
});
