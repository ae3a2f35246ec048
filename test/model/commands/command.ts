import * as fc from 'fast-check';
import type { Model } from '../model.js';
import type { RealQueue } from '../real-queue.js';

export type QueueCommand = fc.AsyncCommand<Model, RealQueue>;

interface Definition<Argument> {
  readonly argument: fc.Arbitrary<Argument>;
  /** Whether there is anything to do it to; default: always. */
  readonly isPossible?: (model: Readonly<Model>) => boolean;
  /** Does the same to both, and expects the same answer. */
  readonly run: (model: Model, real: RealQueue, argument: Argument) => Promise<void>;
}

/** Something that may happen to a queue. After each, the tables must say what the model says. */
export function command<Argument>(name: string, definition: Definition<Argument>): fc.Arbitrary<QueueCommand> {
  const { argument: arbitrary, isPossible = () => true, run } = definition;
  return arbitrary.map((argument) => ({
    check: isPossible,
    async run(model, real) {
      await run(model, real, argument);
      await real.expectToEqual(model);
    },
    toString: () => `${name}(${argument === undefined ? '' : fc.stringify(argument)})`,
  }));
}

/** One of those that match, or of all where none does: most commands should find something to do, and some should not. */
export function pickLikely<Item>(items: Iterable<Item>, matches: (item: Item) => boolean, index: number): Item {
  const list = [...items];
  const likely = list.filter(matches);
  return pick(likely.length > 0 ? likely : list, index);
}

/** Arguments name things by a number, so that a sequence still means something when commands before it are left out. */
export function pick<Item>(items: Iterable<Item>, index: number): Item {
  const list = [...items];
  const item = list[index % list.length];
  if (item === undefined) throw new Error('nothing to pick from: `isPossible` must say so');
  return item;
}
