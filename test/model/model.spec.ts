import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import type { Dialect } from '../../lib/typeorm/dialects/dialect.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { anyCommand } from './commands/any-command.js';
import type { QueueCommand } from './commands/command.js';
import { registerNode } from './commands/nodes.js';
import { TYPES } from './commands/enqueue.js';
import { Model } from './model.js';
import { KEEP_FAILED, KEEP_HISTORY, LEASE } from './model-state.js';
import { RealQueue } from './real-queue.js';

const MOST_COMMANDS = 60;

/**
 * PQ_MODEL_RUNS=1000 npm test -- model: the proof. A failure prints its seed, path and replayPath; with PQ_MODEL_SEED, PQ_MODEL_PATH
 * and PQ_MODEL_REPLAY it is run again, alone.
 */
const {
  PQ_MODEL_RUNS: runs = '50',
  PQ_MODEL_SEED: seed,
  PQ_MODEL_PATH: path,
  PQ_MODEL_REPLAY: replayPath,
} = process.env;

const TIME_LIMIT = 60_000 + Number(runs) * 2_000;

describe.each(databases())('$name and the model', (database) => {
  let schema: TestSchema;
  let dataSource: DataSource;
  let dialect: Dialect;
  let services = 0;

  beforeAll(async () => {
    schema = await database.create();
    dataSource = await schema.connect();
    dialect = await detectDialect(dataSource.options, dataSource);
  });
  afterAll(() => schema?.drop());

  async function runSequence(commands: Iterable<QueueCommand>): Promise<void> {
    const fixture = new QueueFixture(dataSource, {
      serviceName: `service-${++services}`,
      lease: { duration: LEASE, beat: LEASE / 4 },
      retention: { failed: KEEP_FAILED, history: KEEP_HISTORY },
    });
    const model = new Model(!dialect.writesInWith);
    const real = new RealQueue(fixture, dialect.needsLowWaterMarks);
    try {
      await registerNode(model, real, TYPES);
      await registerNode(model, real, []);
      await fc.asyncModelRun(() => ({ model, real }), commands);
    } finally {
      await real.close();
      await forget(fixture, services - 1);
    }
  }

  /** The last sequence's rows stay: a neighbour is enough, and all rows are read after every command. */
  async function forget({ sql }: QueueFixture, service: number): Promise<void> {
    for (const table of ['pq_job', 'pq_attempt', 'pq_node', 'pq_pause'])
      await sql(`DELETE FROM ${table} WHERE service = ?`, [`service-${service}`]);
  }

  it(
    'agree after every command of every sequence',
    async () => {
      const commands = fc.commands([anyCommand], {
        maxCommands: MOST_COMMANDS,
        size: 'max',
        ...(replayPath && { replayPath }),
      });
      const parameters = {
        numRuns: Number(runs),
        // Small sequences first would find nothing: a late write needs a job that has been claimed twice.
        unbiased: true,
        // So that a failure is reported, however long it would take to find the shortest sequence that shows it.
        interruptAfterTimeLimit: (TIME_LIMIT * 3) / 4,
        markInterruptAsFailure: true,
        ...(seed && { seed: Number(seed) }),
        ...(path && { path }),
      };
      await fc.assert(fc.asyncProperty(commands, runSequence), parameters);
      expect(services).toBeGreaterThanOrEqual(path ? 1 : Number(runs));
    },
    TIME_LIMIT,
  );
});
