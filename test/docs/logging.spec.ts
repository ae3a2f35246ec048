import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { startLog } from '../support/log-capture.js';
import { sampleEvents } from '../support/sample-events.js';
import { tableRows } from './tables.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/logging.md'), 'utf8');
const codeIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
const names = [...new Set(sampleEvents.map(({ name }) => name))];

/** By the page: event → its levels. */
const stated = new Map(
  tableRows(page)
    .filter(([, level = '']) => /^`(error|warn|debug)`/.test(level))
    .flatMap(([events = '', level = '']) => codeIn(events).map((event) => [event, codeIn(level).sort()] as const)),
);

describe('docs/logging.md', () => {
  afterEach(() => Logger.overrideLogger(false));

  it.each(names)('states the level of %s, or that it is not logged', (name) => {
    const { events, capture, stop } = startLog();
    for (const event of sampleEvents) if (event.name === name) events.emit(event);
    stop();
    const levels = [...new Set(capture.entries.map(({ level }) => level))].sort();
    const unlogged = codeIn(/^Not logged: .*$/m.exec(page)?.[0] ?? '');
    expect(stated.get(name) ?? (unlogged.includes(name) ? [] : 'not on the page')).toEqual(levels);
  });

  it('knows no event that there is not', () => {
    expect([...stated.keys()].filter((name) => !(names as string[]).includes(name))).toEqual([]);
  });
});
