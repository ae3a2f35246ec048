import { describe, expect, it } from '@jest/globals';
import { ClaimSpread } from '../../lib/typeorm/claim-spread.js';

const level = { type: 't', priority: 0 };
const LIMIT = 10;
/** Draws the far end. */
const farthest = () => new ClaimSpread(() => 0.999);

describe('where a claim begins', () => {
  it('is the head of the line as long as nobody collides', () => {
    const spread = farthest();
    expect(spread.skip(level, LIMIT)).toBe(0);
    spread.wentWell(level);
    expect(spread.skip(level, LIMIT)).toBe(0);
  });

  it('is anywhere in a stretch that doubles with each collision, up to sixteen claims', () => {
    const spread = farthest();
    const reached = Array.from({ length: 6 }, () => {
      spread.collided(level);
      return spread.skip(level, LIMIT);
    });
    expect(reached).toEqual([10, 30, 70, 150, 150, 150]);
    expect(spread.skip({ ...level, priority: 1 }, LIMIT)).toBe(0);
    expect(spread.skip({ ...level, type: 'another' }, LIMIT)).toBe(0);
  });

  it('may still be the head, so that nobody there waits for ever', () => {
    const spread = new ClaimSpread(() => 0);
    spread.collided(level);
    expect(spread.skip(level, LIMIT)).toBe(0);
  });

  it('comes back to the head while claims go well', () => {
    const spread = farthest();
    for (let count = 0; count < 2; count++) spread.collided(level);
    for (let count = 0; count < 12; count++) spread.wentWell(level);
    expect(spread.skip(level, LIMIT)).toBe(0);
  });
});
