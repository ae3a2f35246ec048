import { cpus } from 'node:os';
import {
  CELLS,
  CONCURRENCY,
  CROWDS,
  idealOf,
  MILLISECONDS,
  TRICKLE,
  TYPES,
  variantOf,
} from '../support/scaling-cells.mjs';
import { microseconds, milliseconds, percent, perSecond, ratio, spread } from './statistics.mjs';
import { nameOf } from './tables.mjs';

const COMMITS =
  'Commits on PostgreSQL: statements that write, which need no transaction around them. CPU: of all cores.';

export function scalingTables(results) {
  return [
    {
      title: `Scaling: jobs per second that do nothing, ${CONCURRENCY} at once in each process`,
      rows: rowsOf(results, CELLS.noop, 'rate', ({ processes }, { read, others }) => ({
        processes,
        'jobs/s': spread(read.rounds('rate'), perSecond),
        'of 1 process': ratio(read('rate') / others({ kind: 'noop', processes: 1 })('rate')),
        ...loadColumns(read),
      })),
      note: COMMITS,
    },
    {
      title: `Scaling: jobs of ${MILLISECONDS} ms per second, ${CONCURRENCY} at once in each process`,
      rows: rowsOf(results, CELLS.sleep, 'rate', ({ processes }, { read }) => ({
        processes,
        'jobs/s': spread(read.rounds('rate'), perSecond),
        'of the ideal': ratio(read('rate') / idealOf({ processes })),
        ...loadColumns(read),
      })),
      note: COMMITS,
    },
    {
      title: `Scaling: processes at rest, and with ${TRICKLE} jobs per second for all of them`,
      rows: rowsOf(results, CELLS.calm, 'idle statements', ({ processes, types, every }, { read }) => ({
        processes,
        types,
        'poll.min': every,
        ...calmColumns(read, processes, 'idle'),
        ...calmColumns(read, processes, 'fed'),
      })),
    },
    {
      title:
        'Scaling: what a look costs, by the types it asks for, and one for the dead, by living nodes with 100 jobs each',
      rows: rowsOf(results, CELLS.looks, '1 types took', (_, { read }) => ({
        ...lookColumns(read, TYPES, 'types'),
        ...lookColumns(
          read,
          CROWDS.map(({ nodes }) => nodes),
          'nodes',
        ),
      })),
      note: 'How long it takes (of which CPU of the server).',
    },
  ];
}

/** A row for each of `cells` on each server on which `figure` was measured. */
function rowsOf(results, cells, figure, columns) {
  return results.systems('scaling').flatMap((at) =>
    cells
      .map((cell) => ({ cell, read: readerOf(results, at, cell) }))
      .filter(({ read }) => read.rounds(figure).length > 0)
      .map(({ cell, read }) => ({
        on: nameOf(at).on,
        ...columns(cell, { read, others: (other) => readerOf(results, at, other) }),
      })),
  );
}

/** Figures of one cell: the median of one, or all its rounds. */
function readerOf(results, at, cell) {
  const asked = (figure) => ({ measure: 'scaling', variant: variantOf(cell), ...at, figure });
  const read = (figure) => results.median(asked(figure));
  return Object.assign(read, { rounds: (figure) => results.rounds(asked(figure)) });
}

function loadColumns(read) {
  const perJob = (cpu) => microseconds((read(cpu) * 1e6) / read('jobs'));
  return {
    'statements/s': perSecond(read('statements')),
    'commits/s': perSecond(read('commits')),
    'server CPU': percent(share(read('serverCpu'), read('seconds'))),
    'workers CPU': percent(share(read('workersCpu'), read('seconds'))),
    'server, per job': perJob('serverCpu'),
    'workers, per job': perJob('workersCpu'),
  };
}

function calmColumns(read, processes, phase) {
  const [statements, seconds] = [read(`${phase} statements`), read(`${phase} seconds`)];
  return {
    [`${phase}: statements/s`]: statements.toFixed(1),
    [`${phase}: of each`]: (statements / processes).toFixed(2),
    [`${phase}: server CPU`]: percent(share(read(`${phase} serverCpu`), seconds)),
    [`${phase}: workers CPU`]: percent(share(read(`${phase} workersCpu`), seconds)),
  };
}

function lookColumns(read, counts, what) {
  const names = counts.map((count) => `${count} ${what}`);
  return Object.fromEntries(
    names.map((name) => [name, `${milliseconds(read(`${name} took`))} (${milliseconds(read(`${name} server`))})`]),
  );
}

function share(cpuSeconds, seconds) {
  return cpuSeconds / seconds / cpus().length;
}
