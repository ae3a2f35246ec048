import type { Command } from 'commander';
import type { PersistentQueueOptions } from '../options/module-options.js';
import { Output } from './output.js';
import { openSession, type Session } from './session.js';
import { checkNames, type Settings } from './settings.js';

/** What every command gets. */
export interface Tools {
  readonly settings: Settings;
  readonly output: Output;
}

export type SessionTools = Tools & Session;

/** What commander calls: on the command, with its arguments and its own options. */
type Action<Args extends unknown[]> = (this: Command, ...given: Args) => Promise<void>;

export function withTools<Args extends unknown[]>(work: (tools: Tools, ...args: Args) => Promise<void>): Action<Args> {
  return async function (...given) {
    const settings = this.optsWithGlobals<Settings>();
    checkNames(settings);
    await work({ settings, output: new Output(settings) }, ...given);
  };
}

export function withSession<Args extends unknown[]>(
  work: (tools: SessionTools, ...args: Args) => Promise<void>,
): Action<Args> {
  return withTools((tools, ...args: Args) => inSession(tools, (all) => work(all, ...args)));
}

/** For what has to be checked before the database is asked, or needs a module with other options. */
export async function inSession(
  tools: Tools,
  work: (tools: SessionTools) => Promise<void>,
  more?: PersistentQueueOptions,
): Promise<void> {
  const session = await openSession(tools.settings, more);
  try {
    await work({ ...tools, ...session });
  } finally {
    await session.close();
  }
}
