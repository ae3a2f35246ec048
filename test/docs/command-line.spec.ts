import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../lib/cli/program.js';
import { snippetsOf } from './snippets.js';
import { tableRows } from './tables.js';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = 'docs/command-line.md';
const BUILT_IN = ['-V, --version'];

const page = readFileSync(join(ROOT, PAGE), 'utf8');

/** Those that do something, by the way to them. */
function commandsOf(command: Command, path: string[] = []): [usage: string, command: Command][] {
  return command.commands.flatMap((each) => {
    const way = [...path, each.name()];
    if (each.commands.length > 0) return commandsOf(each, way);
    const args = each.registeredArguments.map((arg) => (arg.required ? `<${arg.name()}>` : `[${arg.name()}]`));
    return [[[...way, ...args].join(' '), each]];
  });
}

/** The options that the page's table below this heading lists. */
function optionsBelow(heading: string): string[] {
  const [, below = ''] = page.split(`\n${heading}\n`);
  const [section = ''] = below.split(/\n##/);
  return tableRows(section)
    .map(([cell = '']) => cell.replaceAll('`', ''))
    .filter((cell) => cell.startsWith('--'));
}

function flagsOf(command: Command): string[] {
  return command.options.map(({ flags }) => flags).filter((flags) => !BUILT_IN.includes(flags));
}

describe(PAGE, () => {
  const commands = commandsOf(createProgram());

  it('describes every command, and no other', () => {
    const described = [...page.matchAll(/^### `(.+)`$/gm)].map(([, usage = '']) => usage);
    expect(described.toSorted()).toEqual(commands.map(([usage]) => usage).toSorted());
  });

  it.each(commands)('lists the options of %s', (usage, command) => {
    expect(optionsBelow(`### \`${usage}\``).toSorted()).toEqual(flagsOf(command).toSorted());
  });

  it('lists the options of all of them', () => {
    expect(optionsBelow('## Options of every command').toSorted()).toEqual(flagsOf(createProgram()).toSorted());
  });

  it.each(
    snippetsOf(ROOT, PAGE, 'sh')
      .flatMap(({ code }) => code.split('\n'))
      .flatMap((line) => [...line.matchAll(/npx persistent-queue ([^|]+)/g)].map(([, args = '']) => args.trim())),
  )('gives an example that can be run: %s', async (example) => {
    const program = createProgram();
    for (const [, command] of commandsOf(program)) command.action(() => undefined);
    // What xargs adds.
    const args = [...(example.match(/'[^']*'|\S+/g) ?? []), ...(example === 'retry' ? ['1'] : [])];
    await expect(
      program.parseAsync(
        args.map((arg) => arg.replaceAll("'", '')),
        { from: 'user' },
      ),
    ).resolves.toBeDefined();
  });
});
