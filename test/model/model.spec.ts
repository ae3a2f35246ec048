import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { anyCommand } from './commands/any-command.js';
import type { QueueCommand } from './commands/command.js';
import { registerNode } from './commands/nodes.js';
import { TYPES } from './commands/enqueue.js';
import { Model } from './model.js';
import { KEEP_FAILED, KEEP_HISTORY, LEASE } from './model-state.js';
import { RealQueue } from './real-queue.js';

const MOST_COMMANDS = 40;
const SECONDS_PER_RUN = 5;

/**
 * PQ_MODEL_RUNS=1000 npm test -- model: the proof. A failure prints its seed, path and replayPath; with PQ_MODEL_SEED, PQ_MODEL_PATH
 * and PQ_MODEL_REPLAY it is run again, alone.
 */
const {
  PQ_MODEL_RUNS: runs = '25',
  PQ_MODEL_SEED: seed,
  PQ_MODEL_PATH: path,
  PQ_MODEL_REPLAY: replayPath,
} = process.env;

describe.each(databases())('$name and the model', (database) => {
  let schema: TestSchema;
  let dataSource: DataSource;
  let hasLowWaterMarks: boolean;
  let services = 0;

  beforeAll(async () => {
    schema = await database.create();
    dataSource = await schema.connect();
    hasLowWaterMarks = (await detectDialect(dataSource.options, dataSource)).needsLowWaterMarks;
  });
  afterAll(() => schema?.drop());

  async function runSequence(commands: Iterable<QueueCommand>): Promise<void> {
    const fixture = new QueueFixture(dataSource, {
      serviceName: `service-${++services}`,
      lease: { duration: LEASE, beat: LEASE / 4 },
      retention: { failed: KEEP_FAILED, history: KEEP_HISTORY },
    });
    const model = new Model();
    const real = new RealQueue(fixture, hasLowWaterMarks);
    try {
      await registerNode(model, real, TYPES);
      await registerNode(model, real, []);
      await fc.asyncModelRun(() => ({ model, real }), commands);
    } finally {
      await fixture.close();
    }
  }

  it(
    'agree after every command of every sequence',
    async () => {
      const commands = fc.commands([anyCommand], {
        maxCommands: MOST_COMMANDS,
        size: 'max',
        ...(replayPath && { replayPath }),
      });
      const parameters = { numRuns: Number(runs), ...(seed && { seed: Number(seed) }), ...(path && { path }) };
      await fc.assert(fc.asyncProperty(commands, runSequence), parameters);
      expect(services).toBeGreaterThanOrEqual(path ? 1 : Number(runs));
    },
    Number(runs) * SECONDS_PER_RUN * 1_000,
  );
});
