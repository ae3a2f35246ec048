import { readClock, readConnections, readServer } from '../typeorm/doctor/server-facts.js';
import { readSqlite } from '../typeorm/doctor/sqlite-facts.js';
import type { Patient } from '../typeorm/doctor/patient.js';
import { error, levelOf, ok, SERVERS, spanOf, warning, type Check, type Verdict } from './check.js';
import { CLOCK_SKEW, CONNECTIONS_USED } from './thresholds.js';

/** They need no table of ours. */
export const SERVER_CHECKS: Check[] = [
  {
    name: 'database.engine',
    look: async (patient) => {
      const { product, version } = await patient.ask(readServer);
      return [ok(`${product} ${version} is supported.`)];
    },
  },
  {
    name: 'database.writable',
    on: SERVERS,
    look: async (patient) => {
      const { isReadOnly } = await patient.ask(readServer);
      if (!isReadOnly) return [ok('The server may be written.')];
      return [error('The server may only be read: it is a replica, or an old primary.', 'Connect to the primary.')];
    },
  },
  {
    name: 'database.isolation',
    on: SERVERS,
    look: async (patient) => judgeIsolation(await patient.ask(readServer)),
  },
  { name: 'database.journal', on: ['sqlite'], look: judgeJournal },
  { name: 'clock.process', on: SERVERS, look: judgeClock },
  {
    name: 'connections.used',
    on: SERVERS,
    look: async (patient) => {
      const { used, limit } = await patient.ask(readConnections);
      const message = `${used} of ${limit} connections of the server are in use.`;
      const tell = levelOf(used / limit, CONNECTIONS_USED);
      return [tell?.(message, 'Raise max_connections, or make the pools smaller.') ?? ok(message)];
    },
  },
];

function judgeIsolation({ isolation, commitsByItself }: { isolation: string; commitsByItself: boolean }): Verdict[] {
  const verdicts: Verdict[] = [];
  if (!commitsByItself)
    verdicts.push(
      error(
        'autocommit is off: what is written without a transaction is never committed.',
        'SET GLOBAL autocommit = 1, and take it out of the configuration of the server.',
      ),
    );
  if (isolation === 'SERIALIZABLE')
    return [
      ...verdicts,
      warning(
        'Transactions of the application are SERIALIZABLE: those that enqueue() may be refused, and must be run again by the application.',
        'Use READ COMMITTED for them; our own transactions always do.',
      ),
    ];
  return [
    ...verdicts,
    ok(`Transactions of the application are ${isolation}, ours are READ COMMITTED whatever that is.`),
  ];
}

async function judgeJournal(patient: Patient): Promise<Verdict[]> {
  const { file, journal, busyTimeout } = await patient.ask(readSqlite);
  const verdicts: Verdict[] = [];
  if (journal !== 'wal')
    verdicts.push(
      warning(
        `The journal mode of ${file} is ${journal}: readers and writers wait for each other until a queue is started, which changes it.`,
        'PRAGMA journal_mode = WAL',
      ),
    );
  if (busyTimeout > 0)
    verdicts.push(
      warning(
        `This DataSource waits up to ${spanOf(busyTimeout)} for a busy file, and nothing else happens in its process then.`,
        'Set timeout: 0 on the DataSource, and write through jobQueue.transaction().',
      ),
    );
  return verdicts.length > 0 ? verdicts : [ok('The file has a write-ahead log, and nobody freezes while it is busy.')];
}

/** The shortest round trip tells most. */
const ROUND_TRIPS = 3;

async function judgeClock(patient: Patient): Promise<Verdict[]> {
  const looks: { skew: number; took: number }[] = [];
  for (let look = 0; look < ROUND_TRIPS; look++) {
    const sent = Date.now();
    const now = await patient.ask(readClock);
    const took = Date.now() - sent;
    looks.push({ skew: sent + took / 2 - now, took });
  }
  const best = looks.reduce((a, b) => (b.took < a.took ? b : a));
  const message = `The clock of this process is ${spanOf(Math.abs(best.skew))} ${best.skew < 0 ? 'behind' : 'ahead of'} the database's.`;
  // Half of the round trip is unknown.
  const tell = levelOf(Math.abs(best.skew) - best.took / 2, CLOCK_SKEW);
  return [tell?.(message, 'Let NTP set both clocks.') ?? ok(message)];
}
