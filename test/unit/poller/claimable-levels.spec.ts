import { describe, expect, it } from '@jest/globals';
import type { JobHandlerRegistry } from '../../../lib/handler/job-handler.registry.js';
import type { ClaimAnswer } from '../../../lib/repository/job-repository.js';
import { ClaimableLevels } from '../../../lib/poller/claimable-levels.js';

const LEVEL = { type: 'mail', priority: 0 };
const LIMITS = { concurrency: 1, key: undefined, rate: undefined };
const answer = (left: ClaimAnswer['left'], freeIn?: number): ClaimAnswer => ({ jobs: [], left, freeIn });

/** What it asks of the registry is whether there is a handler, and what limits it has. */
function levelsOf(limits?: typeof LIMITS): ClaimableLevels {
  const registry = { types: ['mail'], get: () => ({}), limitsOf: () => limits } as unknown as JobHandlerRegistry;
  return new ClaimableLevels(registry, 20);
}

describe('what may be claimed', () => {
  it('is claimed from again when a job was told of while a claim in vain was under way', () => {
    const levels = levelsOf();
    levels.found([LEVEL]);
    levels.claiming(LEVEL);
    levels.hinted(LEVEL);
    levels.claimed(LEVEL, answer('none'));
    expect(levels.next()).toEqual([LEVEL]);
    levels.claiming(LEVEL);
    levels.claimed(LEVEL, answer('none'));
    expect(levels.isEmpty).toBe(true);
  });

  it('is tried again soon when a job was told of while a claim was under way that a limit held back', () => {
    const levels = levelsOf(LIMITS);
    levels.found([LEVEL]);
    levels.claiming(LEVEL);
    levels.hinted(LEVEL);
    levels.claimed(LEVEL, answer('held back'));
    expect(levels.isEmpty).toBe(true);
    expect(levels.untilRetry(performance.now())).toBeLessThanOrEqual(20);
  });

  it('is looked at anew when a job has come since the last claim, be its type let be', () => {
    const levels = levelsOf(LIMITS);
    levels.found([LEVEL]);
    expect(levels.claiming(LEVEL)).toBe(false);
    levels.claimed(LEVEL, answer('held back', 5));
    levels.hinted(LEVEL);
    expect(levels.claiming(LEVEL)).toBe(false);
    expect(levels.claiming(LEVEL)).toBe(true);
  });

  it('is tried less often when jobs that come again and again are held back all the same', () => {
    const levels = levelsOf(LIMITS);
    levels.found([LEVEL]);
    levels.claiming(LEVEL);
    levels.claimed(LEVEL, answer('held back'));
    levels.hinted(LEVEL);
    expect(levels.untilRetry(performance.now())).toBeLessThanOrEqual(20);
    expect(levels.retryHeldBack(performance.now() + 20)).toBe(true);
    levels.claiming(LEVEL);
    levels.claimed(LEVEL, answer('held back'));
    levels.hinted(LEVEL);
    expect(levels.untilRetry(performance.now())).toBeGreaterThan(20);
  });

  it('rests for a moment when a claim was in vain and more may be there', () => {
    const levels = levelsOf(LIMITS);
    levels.found([LEVEL]);
    levels.claiming(LEVEL);
    levels.claimed(LEVEL, answer('some'));
    expect(levels.isEmpty).toBe(true);
    expect(levels.untilRetry(performance.now())).toBeLessThanOrEqual(20);
  });
});
