import { describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { databases } from '../support/databases.js';
import type { HeapReport } from '../processes/heap.js';

const SCRIPT = join(process.cwd(), '.cache/processes/heap.js');
const JOBS = 20_000;
const MEGABYTE = 2 ** 20;

/** It is Nest's instances that are looked at: one database is enough. */
const sqlite = databases().filter(({ name }) => name === 'sqlite');

describe.each(sqlite)('request-scoped jobs', (database) => {
  it('leave nothing behind: 20,000 of them, with a guard, an interceptor and a pipe of their own', async () => {
    const schema = await database.create();
    try {
      const settings = JSON.stringify({ database: schema.options, jobs: JOBS });
      const child = fork(SCRIPT, [settings], {
        execArgv: ['--expose-gc'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const ended = once(child, 'exit');
      const [report] = (await Promise.race([once(child, 'message'), ended])) as [HeapReport];
      await ended;
      const grown = (report.after - report.before) / MEGABYTE;
      console.info(`${report.jobs} request-scoped jobs: the heap has grown by ${grown.toFixed(2)} MB`);
      expect(report.jobs).toBe(JOBS);
      expect(grown).toBeLessThan(5);
    } finally {
      await schema.drop();
    }
  }, 120_000);
});
