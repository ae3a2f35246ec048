import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

const SUITE = join(import.meta.dirname, '../../.cache/processes/tested-suite.js');

describe('a process that tests handlers', () => {
  it('ends by itself, whatever its tests have left behind', async () => {
    const suite = spawn(process.execPath, [SUITE, '50'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output, [status]] = await Promise.all([text(suite.stdout), once(suite, 'exit') as Promise<[number | null]>]);
    expect(status).toBe(0);
    expect(JSON.parse(output)).toEqual({ cases: expect.any(Number), cpu: expect.any(Number) });
  });
});
