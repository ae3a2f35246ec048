import { OptionReader } from '../options/option-reader.js';
import { PersistentQueue } from '../persistent-queue.js';
import { scopedTokens } from '../persistent-queue.module.js';
import { TestBench, type OverridableBuilder } from './test-bench.js';
import { TestClock } from './test-clock.js';
import { notPrepared, type TestQueue } from './test-queue.js';
import type { TestingOptions } from './testing-options.js';

/**
 * An application, or a `TestingModule`.
 *
 * @publicApi
 */
export interface TestedApplication {
  get(token: unknown, options?: { strict: boolean }): unknown;
}

/**
 * Puts the queue of the application under test into memory, and its workers into the test's hands: no database of ours, no polling, no
 * timer, so that a test process ends by itself. Answers the builder, to go on with. The helper itself is `testQueue(app)`.
 *
 * @throws UnknownOptionError, InvalidOptionError
 * @publicApi
 */
export function usePersistentQueueTesting<Builder extends OverridableBuilder>(
  builder: Builder,
  options: TestingOptions = {},
): Builder {
  const owner = 'usePersistentQueueTesting()';
  const reader = new OptionReader(owner, options, ['mode', 'now', 'queue', 'errors']);
  const mode = readChoice(reader, 'mode', ['manual', 'inline']);
  const errors = readChoice(reader, 'errors', ['record', 'throw']);
  new TestBench(builder, new TestClock(options.now), mode === 'inline', errors, reader.text('queue')).install();
  return builder;
}

/**
 * The helper of an application that was built with `usePersistentQueueTesting()`; `queue`: of the module with that `name`.
 *
 * @throws NotTestingError when it was not.
 * @publicApi
 */
export function testQueue(app: TestedApplication, queue?: string): TestQueue {
  const token = queue === undefined ? PersistentQueue : scopedTokens(queue).get(PersistentQueue);
  let found: unknown;
  try {
    found = app.get(token, { strict: false });
  } catch {
    return notPrepared(queue ?? 'no PersistentQueueModule');
  }
  const helper: unknown = Reflect.get(found as object, 'queue');
  return helper === undefined
    ? notPrepared(queue ?? 'a PersistentQueueModule that runs by itself')
    : (helper as TestQueue);
}

function readChoice<Choice extends string>(
  reader: OptionReader,
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const value = reader.value(name) ?? choices[0];
  const choice = choices.find((known) => known === value);
  return choice ?? reader.refuse(name, value, `Give ${choices.map((known) => `'${known}'`).join(' or ')}.`);
}
