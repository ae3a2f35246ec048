import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { JobContext } from '../../lib/job/job-context.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { handler, startApp, type AppFixture, type AppOptions } from './app-fixture.js';
import type { Answer, CommandLine } from './command-line.js';
import type { TestDatabase, TestSchema } from './databases.js';
import type { PackedPackage } from './packed-package.js';

/** A command starts Node, Nest and TypeORM, on a machine that runs other tests beside it. */
export const SLOW = 120_000;

/** What the program makes of a job, as JSON brings it. */
interface Listed {
  id: string;
  type: string;
  state: string;
  key?: string;
}

/** Every command, with good and bad input, compared with what is in the database then. */
export function commandLineContract(
  database: TestDatabase,
  packed: () => PackedPackage,
  launch: (packed: PackedPackage) => CommandLine,
): void {
  describe(`the packed program on ${database.name}`, () => {
    let commandLine: CommandLine;
    let schema: TestSchema;
    let dataSource: DataSource;
    let url: string;
    const started: AppFixture[] = [];

    beforeAll(async () => {
      schema = await database.create();
      dataSource = await schema.connect();
      const { options } = schema;
      // The server of MariaDB has a URL of MySQL's: only its real name tells which SQL is printed.
      url =
        'url' in options ? String(options.url).replace(/^\w+/, database.name) : `sqlite://${String(options.database)}`;
      commandLine = launch(packed());
      await ok(['install']);
    }, SLOW);
    afterEach(async () => {
      await Promise.all(started.splice(0).map((fixture) => fixture.close()));
    });
    afterAll(async () => {
      await commandLine.close();
      await schema.drop();
    });

    const cli = (args: string[], variable = url): Promise<Answer> =>
      commandLine.run(args, { PERSISTENT_QUEUE_URL: variable });

    /** What it prints. */
    async function ok(args: string[], variable?: string): Promise<string> {
      const { exitCode, stdout, stderr } = await cli(args, variable);
      expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' });
      return stdout;
    }

    async function json<T>(args: string[]): Promise<T> {
      return JSON.parse(await ok([...args, '--json'])) as T;
    }

    /** The exit code, and what it says. */
    async function no(args: string[]): Promise<[exitCode: number | null, message: string]> {
      const { exitCode, stdout, stderr } = await cli(args);
      expect(stdout).toBe('');
      expect(stderr).not.toMatch(/\n\s+at /);
      return [exitCode, stderr];
    }

    const sql = <Row>(text: string): Promise<Row[]> => retryRolledBack(BUSY_RETRY, () => dataSource.query<Row[]>(text));

    async function start(serviceName: string, ...providers: NonNullable<AppOptions['providers']>): Promise<AppFixture> {
      const fixture = await startApp(schema, { providers, queue: { serviceName } });
      started.push(fixture);
      return fixture;
    }

    it(
      'makes the tables, also from printed SQL, and names the command where they are missing or of another version',
      async () => {
        const [missing, none, printed, again, upToDate] = await Promise.all([
          no(['status', '--prefix', 'none_']),
          no(['upgrade', '--prefix', 'none_']),
          json<{ statements: string[] }>(['install', '--print', '--prefix', 'printed_']),
          json(['install']),
          ok(['upgrade']),
        ]);
        expect(missing).toEqual([3, expect.stringContaining('npx persistent-queue install --prefix none_')]);
        expect(none).toEqual([3, expect.stringContaining("'none_*' have version 0")]);
        expect(again).toEqual({ prefix: 'pq_', found: 1, version: 1 });
        expect(upToDate).toBe('The tables pq_* are up to date (version 1).\n');
        // Twice: whoever does not know whether it was done does it again.
        for (const statement of [...printed.statements, ...printed.statements]) await sql(statement);
        const queue = ['--prefix', 'printed_', '--service', 'shop'];
        expect(await ok(['enqueue', 't', '1', '--quiet', ...queue])).toBe('1\n');
        expect(await sql('SELECT COUNT(*) AS n FROM printed_job')).toEqual([{ n: expect.anything() }]);
        await sql('UPDATE printed_schema SET version = 99');
        expect(await no(['list', ...queue])).toEqual([3, expect.stringContaining('Upgrade nestjs-persistent-queue')]);
      },
      SLOW,
    );

    it(
      'says what it would delete, deletes it when told to, and not under living nodes',
      async () => {
        await ok(['install', '--prefix', 'gone_']);
        const node =
          "INSERT INTO gone_node (service, name, state, registered_at, beat_at, expires_at, types) VALUES ('shop', 'host:1', 'alive', 1, 1, 9000000000000, '[]')";
        await sql("INSERT INTO gone_job (service, type, payload) VALUES ('shop', 't', '1')");
        const [told, asJson, nothing] = await Promise.all([
          cli(['uninstall', '--prefix', 'gone_']),
          cli(['uninstall', '--prefix', 'gone_', '--json']),
          no(['uninstall', '--prefix', 'never_', '--yes']),
        ]);
        expect(told.stdout).toMatch(/^gone_job +1$/m);
        expect(told).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Give --yes') });
        expect(JSON.parse(asJson.stdout)).toMatchObject({ deleted: false, nodes: [] });
        expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { name: 'CommandRefusedError', exitCode: 1 } });
        expect(nothing).toEqual([1, expect.stringContaining("no tables with this prefix (got 'never_')")]);
        await sql(node);
        const refused = await cli(['uninstall', '--yes', '--prefix', 'gone_']);
        expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('host:1#1 of shop') });
        expect(await ok(['uninstall', '--yes', '--force', '--prefix', 'gone_'])).toMatch(
          /These tables are deleted\.\n$/,
        );
        await expect(sql('SELECT 1 FROM gone_job')).rejects.toMatchObject({
          message: expect.stringContaining('gone_job'),
        });
      },
      SLOW,
    );

    it(
      'enqueues from an argument, a file and many lines, all or none',
      async () => {
        const service = ['--service', 'enqueue'];
        const [file, lines, bad] = ['payload.json', 'jobs.ndjson', 'bad.ndjson'].map((name) =>
          join(packed().folder, `${database.name}-${name}`),
        ) as [string, string, string];
        await writeFile(file, '{"from":"file"}\n');
        await writeFile(
          lines,
          '{"payload":{"line":1},"key":"a"}\n\n{"payload":2,"at":"2030-01-01T00:00:00Z","priority":7}\n{"payload":3,"key":"k"}\n',
        );
        await writeFile(bad, '{"payload":1}\n{"payload":2,"prioritty":1}\n');
        const first = await json<{ id: string }>([
          'enqueue',
          't',
          '{"é":"\\u0000"}',
          '--key',
          'k',
          '--key-scope',
          'open',
          '--reference',
          'r',
          '--priority',
          '9',
          '--delay',
          '1h',
          ...service,
        ]);
        expect(first).toEqual({ id: expect.stringMatching(/^\d+$/), created: true });
        const [again, , many] = await Promise.all([
          ok(['enqueue', 't', '5', '--key', 'k', '--quiet', ...service]),
          json(['enqueue', 't', '--file', file, '--at', '2030-01-01', ...service]),
          json<{ created: boolean }[]>(['enqueue', 't', '--lines', lines, ...service]),
        ]);
        expect(again).toBe(`${first.id}\n`);
        expect(many.map(({ created }) => created)).toEqual([true, true, false]);
        const refusals = await Promise.all([
          no(['enqueue', 't', '--lines', bad, ...service]),
          no(['enqueue', 't', '{secret', ...service]),
          no(['enqueue', 't', '1', '--priority', '10', ...service]),
        ]);
        expect(refusals).toEqual([
          [2, expect.stringContaining("Did you mean 'priority'?")],
          [2, expect.not.stringContaining('secret')],
          [2, expect.stringContaining('10')],
        ]);
        const rows = await sql<{ payload: string; state: string; priority: unknown; job_key: string | Buffer | null }>(
          "SELECT payload, state, priority, job_key FROM pq_job WHERE service = 'enqueue' ORDER BY payload",
        );
        const plain = rows.map(({ payload, state, priority, job_key: key }) => [
          payload,
          state,
          Number(priority),
          key?.toString(),
        ]);
        expect(plain.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual([
          ['2', 'scheduled', 7, undefined],
          ['{"from":"file"}', 'scheduled', 0, undefined],
          ['{"line":1}', 'waiting', 0, 'a'],
          ['{"é":"\\u0000"}', 'scheduled', 9, 'k'],
        ]);
      },
      SLOW,
    );

    it(
      'shows what has become of jobs, without their payloads unless asked, and runs failed ones again',
      async () => {
        const service = ['--service', 'fail'];
        const worker = await start(
          'fail',
          handler(
            'bad',
            (_: never, job: JobContext) => {
              job.log('\u001b[31mabout to fail');
              throw new Error('it broke \u001b]0;title\u0007');
            },
            { maxRetries: 0 },
          ),
        );
        const ids: string[] = [];
        for (const key of ['a', 'b', 'c']) ids.push((await worker.queue.enqueue('bad', { secret: key }, { key })).id);
        for (const id of ids) await worker.waitFor(id, 'failed');
        const [id = ''] = ids;
        const [status, asText, page, shown, all, full, nodes] = await Promise.all([
          json<{ counts: unknown; nodes: unknown[] }>(['status', ...service]),
          ok(['status', ...service]),
          json<{ jobs: Listed[]; next: string }>(['list', '--state', 'failed,cancelled', '--limit', '2', ...service]),
          ok(['show', id, ...service]),
          ok(['list', '--type', 'bad', '--quiet', ...service]),
          json<{ job: { payload: unknown }; attempts: { error: { stack: string } }[]; why: string[] }>([
            'show',
            id,
            '--payload',
            ...service,
          ]),
          json<{ state: string; types: { type: string }[] }[]>(['nodes', ...service]),
        ]);
        expect(status).toMatchObject({
          counts: [{ type: 'bad', state: 'failed', count: 3 }],
          paused: [],
          unhandled: [],
        });
        expect(asText).toMatch(/^bad +0 +0 +0 +0 +3 +0 +-$/m);
        expect(page.jobs.map((job) => [job.id, job.state])).toEqual([
          [ids[2], 'failed'],
          [ids[1], 'failed'],
        ]);
        expect(JSON.stringify(page)).not.toContain('secret');
        expect(shown).toContain('it broke \\u001b]0;title\\u0007');
        expect(shown).toMatch(/command-line\.contract\.ts[^]*\nlog\n.*about to fail/);
        expect(shown).not.toContain('secret');
        expect(shown).not.toContain('\u001b');
        expect(all).toBe(`${ids.toReversed().join('\n')}\n`);
        expect(full.job.payload).toEqual({ secret: 'a' });
        expect(full.attempts[0]?.error.stack).toContain('command-line.contract.ts');
        expect(nodes).toMatchObject([{ state: 'alive', types: [{ type: 'bad' }] }]);
        const filter = ['--state', 'failed,cancelled', '--limit', '2', ...service];
        const [last, wrongPage] = await Promise.all([
          json<{ jobs: Listed[]; next?: string }>(['list', ...filter, '--after', page.next]),
          no(['list', '--after', page.next, ...service]),
        ]);
        expect(last).toEqual({ jobs: [expect.objectContaining({ id })] });
        expect(wrongPage).toEqual([2, expect.stringContaining('page token')]);
        expect(await ok(['list', '--key', 'none', ...service])).toBe('No job matches.\n');

        expect(await ok(['retry', id, ...service])).toBe(`Job ${id} runs again.\n`);
        await worker.waitFor(id, 'failed');
        expect(await json(['retry', '--all', '--type', 'bad', '--key', 'b', ...service])).toEqual({ retried: 1 });
        expect(await worker.queue.history(id)).toHaveLength(2);
      },
      SLOW,
    );

    it(
      'cancels, hastens, pauses and prunes, and says no where there is nothing to do',
      async () => {
        const service = ['--service', 'control'];
        const application = (await start('control')).queue;
        const { id } = await application.enqueue('t', null, { delay: '1h', reference: 'r' });
        const keyed = defineJob('t', { concurrencyKey: { from: () => 'acme', limit: 1 } });
        const { id: other } = await application.enqueue(keyed, {}, { delay: '1h' });
        const [hastened, cancelled, paused] = await Promise.all([
          ok(['run-now', id, ...service]),
          json(['cancel', other, ...service]),
          ok(['pause', 't', ...service]),
        ]);
        expect([hastened, cancelled, paused]).toEqual([
          `Job ${id} is due.\n`,
          { id: other, cancelled: true },
          't is paused.\n',
        ]);
        expect(await application.get(id)).toMatchObject({ state: 'waiting' });
        const [status, show, ofTenant, wrongState, missing, nothing, both] = await Promise.all([
          json<{ paused: string[]; oldestDue: { id: string }[] }>(['status', ...service]),
          ok(['show', id, ...service]),
          ok(['show', other, ...service]),
          no(['cancel', other, ...service]),
          no(['run-now', '999999', '--json', ...service]),
          no(['retry', ...service]),
          no(['retry', id, '--all', ...service]),
        ]);
        expect(status).toMatchObject({ paused: ['t'], oldestDue: [{ type: 't', id }] });
        expect(show).toMatch(/pause/);
        expect(ofTenant).toMatch(/concurrency key +acme/);
        expect(wrongState).toEqual([1, expect.stringContaining(`Job ${other} cannot be cancelled (got 'cancelled')`)]);
        expect(JSON.parse(missing[1])).toEqual({
          error: { name: 'JobNotFoundError', message: expect.stringContaining('999999'), exitCode: 1 },
        });
        expect([missing[0], nothing[0], both[0]]).toEqual([1, 2, 2]);
        expect(await ok(['resume', 't', '--quiet', ...service])).toBe('');
        expect((await json<{ paused: string[] }>(['status', ...service])).paused).toEqual([]);

        const [open, young] = await Promise.all([
          no(['prune', '--older-than', '0s', '--state', 'waiting', ...service]),
          json(['prune', '--older-than', '1d', ...service]),
        ]);
        expect(open).toEqual([2, expect.stringContaining("(got 'waiting')")]);
        expect(young).toEqual({ removed: 0 });
        expect(await json(['prune', '--older-than', '0s', '--state', 'cancelled', '--type', 't', ...service])).toEqual({
          removed: 1,
        });
        await application.cancel(id);
        await sql(`UPDATE pq_job SET expires_at = 1 WHERE id = ${id}`);
        expect(await ok(['prune', ...service])).toBe('Everything whose retention has passed is deleted.\n');
        expect(await application.find()).toMatchObject({ jobs: [] });
      },
      SLOW,
    );

    it(
      'makes, edits, fires and removes schedules, and shows locks',
      async () => {
        const service = ['--service', 'schedules'];
        const set = ['schedules', 'set', 'nightly'];
        const [incomplete, badSpec, made] = await Promise.all([
          no(['schedules', 'set', 'other', '--type', 't', ...service]),
          no(['schedules', 'set', 'other', '--type', 't', '--spec', '0 25 * * *', ...service]),
          json<{ schedule: object }>([
            ...set,
            '--spec',
            '0 3 * * *',
            '--type',
            't',
            '--payload',
            '{"secret":1}',
            '--time-zone',
            'Europe/Berlin',
            '--overlap',
            'skip',
            ...service,
          ]),
        ]);
        expect(incomplete).toEqual([2, expect.stringContaining('--spec')]);
        expect(badSpec).toEqual([2, expect.stringContaining('25')]);
        expect(JSON.stringify(made)).not.toContain('secret');
        expect(await ok([...set, '--spec', '0 4 * * *', ...service])).toMatch(
          /^Schedule nightly is changed\. Next: \d{4}-.*T0[23]:00/,
        );
        const fired = await json<{ id: string }>(['schedules', 'run-now', 'nightly', ...service]);
        await ok(['schedules', 'disable', 'nightly', ...service]);
        const [listed, shown, missing] = await Promise.all([
          ok(['schedules', 'list', ...service]),
          json<{ schedule: object; firings: object[]; next: string[] }>([
            'schedules',
            'show',
            'nightly',
            '--payload',
            ...service,
          ]),
          no(['schedules', 'show', 'weekly', ...service]),
        ]);
        expect(listed).toMatch(/^nightly +0 4 \* \* \* +Europe\/Berlin +t +disabled/m);
        expect(shown).toMatchObject({
          schedule: { spec: '0 4 * * *', overlap: 'skip', payload: { secret: 1 }, enabled: false },
          firings: [{ jobId: fired.id, manual: true, outcome: 'fired' }],
        });
        expect(shown.next).toHaveLength(5);
        expect(missing).toEqual([1, expect.stringContaining('weekly')]);
        await ok(['schedules', 'enable', 'nightly', ...service]);
        expect(await sql("SELECT enabled FROM pq_schedule WHERE service = 'schedules'")).toEqual([{ enabled: 1 }]);
        await ok(['schedules', 'remove', 'nightly', ...service]);
        await sql(
          "INSERT INTO pq_lock (service, name, fence, token, owner, locked_at, locked_until) VALUES ('schedules', 'report', 7, 'x', 'host:1', 1, 9000000000000)",
        );
        const [gone, locks, locksAsText] = await Promise.all([
          json(['schedules', 'list', ...service]),
          json(['locks', ...service]),
          ok(['locks', ...service]),
        ]);
        expect(gone).toEqual([]);
        expect(locks).toMatchObject([{ name: 'report', owner: 'host:1', fence: 7, held: true }]);
        expect(locksAsText).toMatch(/^report +yes +host:1 +7 /m);
      },
      SLOW,
    );

    it(
      'takes the DataSource of a file, touches nothing else of it, and examines the database',
      async () => {
        const file = join(packed().folder, `${database.name}-data-source.mjs`);
        const typeorm = "import { DataSource, EntitySchema } from 'typeorm';";
        const entity = "new EntitySchema({ name: 'purchase', columns: { id: { type: Number, primary: true } } })";
        const options = { ...schema.options, driver: undefined };
        await writeFile(
          file,
          `${typeorm}\nexport const source = new DataSource({ ...${JSON.stringify(options)}, synchronize: true, entities: [${entity}] });\nexport default source;\nsetInterval(() => {}, 1000);\n`,
        );
        const nowhere = 'postgres://nobody@127.0.0.1:1/none';
        expect(await ok(['list', '--data-source', file, '--service', 'none'], nowhere)).toBe('No job matches.\n');
        await expect(sql('SELECT 1 FROM purchase')).rejects.toMatchObject({
          message: expect.stringContaining('purchase'),
        });
        const { exitCode, stdout } = await cli(['doctor', '--data-source', file, '--json'], nowhere);
        const findings = JSON.parse(stdout) as { check: string; level: string; message: string }[];
        expect(exitCode).toBe(findings.some(({ level }) => level === 'error') ? 1 : 0);
        expect(findings.length).toBeGreaterThan(0);
        const broken = await cli(['doctor', '--prefix', 'missing_']);
        expect(broken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('The doctor has found') });
      },
      SLOW,
    );
  });
}
