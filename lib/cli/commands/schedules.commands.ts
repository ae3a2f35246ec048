import { Option, type Command } from 'commander';
import { ScheduleNotFoundError } from '../../errors/schedule-not-found.error.js';
import { UsageError } from '../../errors/usage.error.js';
import type { Misfire, Overlap, Schedule } from '../../job/schedule.js';
import type { ScheduleOptions } from '../../schedule/schedule-options.js';
import { inSession, withSession, withTools, type SessionTools, type Tools } from '../action.js';
import { readJsonOf } from '../read-payload.js';
import { facts, json, span } from '../text.js';
import { readInteger, readSpan, readTime } from '../values.js';

interface SetOptions extends Partial<Omit<ScheduleOptions, 'payload' | 'extra' | 'enabled' | 'type'>> {
  readonly type?: string;
  readonly payload?: string;
}

const FIRE_TIMES = 5;
const FIRINGS = 20;

export function schedulesCommands(program: Command): void {
  const schedules = program.command('schedules').description('Schedules: look at them, edit them, fire them.');
  schedules.command('list').description('Shows the schedules of the service.').action(withSession(list));
  schedules
    .command('show')
    .argument('<name>', 'the schedule')
    .description('Shows a schedule, its next fire times and what became of the last ones.')
    .option('--payload', 'also the payload of its jobs')
    .action(withSession(show));
  setCommand(schedules);
  changeCommand(schedules, 'enable', 'Lets a schedule fire again, from now on.', 'fires again');
  changeCommand(schedules, 'disable', 'Keeps a schedule from firing; jobs that were made go on.', 'fires no more');
  changeCommand(schedules, 'remove', 'Deletes a schedule; its jobs stay.', 'is deleted');
  schedules
    .command('run-now')
    .argument('<name>', 'the schedule')
    .description('Makes a job of a schedule now, also while it is disabled.')
    .action(
      withSession(async (tools, name: string) => {
        const { id } = await tools.schedules.runNow(name);
        tools.output.answer(
          { name, id },
          () => `Job ${id} is enqueued.`,
          () => id,
        );
      }),
    );
}

function changeCommand(
  schedules: Command,
  verb: 'enable' | 'disable' | 'remove',
  description: string,
  done: string,
): void {
  schedules
    .command(verb)
    .argument('<name>', 'the schedule')
    .description(description)
    .action(
      withSession(async (tools, name: string) => {
        await tools.schedules[verb](name);
        tools.output.done({ name, [`${verb}d`]: true }, `Schedule ${name} ${done}.`);
      }),
    );
}

function setCommand(schedules: Command): void {
  schedules
    .command('set')
    .argument('<name>', 'the schedule')
    .summary('make or edit a schedule')
    .description('Makes a schedule, or edits one: what is not given stays as it is.')
    .option('--spec <spec>', "when: '0 3 * * *', '@every 10m', '@daily'")
    .option('--type <type>', 'the type of the jobs that it makes')
    .option('--time-zone <zone>', 'of the spec, such as Europe/Berlin')
    .option('--payload <json>', 'what the handler gets')
    .addOption(new Option('--misfire <what>', 'fire times that were missed').choices(['once', 'skip', 'all']))
    .option('--misfire-limit <n>', 'the most that all makes up for', readInteger)
    .addOption(new Option('--overlap <what>', 'while an earlier job is open').choices(['allow', 'skip', 'queue']))
    .option('--jitter <span>', 'due at a random moment up to so long after the fire time', readSpan)
    .option('--from <time>', 'fires at this time at the earliest', readTime)
    .option('--until <time>', 'fires at this time at the latest', readTime)
    .option('--alert-after <span>', 'late when for so long no job has succeeded', readSpan)
    .option('--description <text>', 'for people')
    .action(withTools(set));
}

async function list({ schedules, output }: SessionTools): Promise<void> {
  const found = await schedules.list();
  const titles = ['NAME', 'SPEC', 'TIME ZONE', 'TYPE', 'STATE', 'NEXT', 'LAST'];
  const rows = found.map((each) => [
    each.name,
    each.spec,
    each.timeZone,
    each.type,
    stateOf(each),
    each.nextFireAt,
    each.lastFireAt,
  ]);
  output.answer(
    found.map(withoutPayload),
    () => (found.length === 0 ? 'There are no schedules.' : output.table(titles, rows)),
    () => found.map(({ name }) => name).join('\n'),
  );
}

function stateOf({ broken, gone, enabled }: Schedule): string {
  if (broken !== undefined) return `broken: ${broken}`;
  if (gone) return 'gone';
  return enabled ? 'enabled' : 'disabled';
}

function withoutPayload({ payload: _payload, extra: _extra, ...schedule }: Schedule): object {
  return schedule;
}

async function show(
  { schedules, output }: SessionTools,
  name: string,
  { payload: withPayload = false }: { payload?: boolean },
): Promise<void> {
  const schedule = await schedules.get(name);
  if (schedule === undefined) throw new ScheduleNotFoundError(name);
  const next = schedule.broken === undefined ? await schedules.preview(name, { count: FIRE_TIMES }) : [];
  const firings = await schedules.history(name, { limit: FIRINGS });
  const value = { schedule: withPayload ? schedule : withoutPayload(schedule), next, firings };
  output.answer(value, () =>
    [
      factsOf(schedule),
      `${output.heading('next')}\n${next.map((time) => time.toISOString()).join('\n')}`,
      ...(firings.length === 0 ? [] : [firingTable(firings, output)]),
      ...(withPayload ? [`${output.heading('payload')}\n${json(schedule.payload)}`] : []),
    ].join('\n\n'),
  );
}

function factsOf(schedule: Schedule): string {
  return facts({
    name: schedule.name,
    spec: schedule.spec,
    'time zone': schedule.timeZone,
    type: schedule.type,
    state: stateOf(schedule),
    misfire: schedule.misfire === 'all' ? `all, up to ${schedule.misfireLimit}` : schedule.misfire,
    overlap: schedule.overlap,
    jitter: schedule.jitter === 0 ? undefined : span(schedule.jitter),
    from: schedule.from,
    until: schedule.until,
    'alert after': schedule.alertAfter === undefined ? undefined : span(schedule.alertAfter),
    declared: schedule.declared ? 'by code' : undefined,
    description: schedule.description,
  });
}

function firingTable(
  firings: Awaited<ReturnType<SessionTools['schedules']['history']>>,
  output: Tools['output'],
): string {
  const titles = ['FIRE TIME', 'OUTCOME', 'JOB', 'STATE'];
  return output.table(
    titles,
    firings.map(({ fireTime, outcome, manual, jobId, jobState }) => [
      fireTime,
      manual ? `${outcome} by hand` : outcome,
      jobId,
      jobState,
    ]),
  );
}

async function set(tools: Tools, name: string, { payload, ...given }: SetOptions): Promise<void> {
  const newPayload = payload === undefined ? {} : { payload: readJsonOf('--payload', payload) };
  await inSession(tools, async ({ schedules, output }) => {
    const before = await schedules.get(name);
    const options = { ...(before === undefined ? {} : optionsOf(before)), ...given, ...newPayload };
    const { spec, type } = options;
    if (spec === undefined || type === undefined) {
      const missing = spec === undefined ? '--spec' : '--type';
      throw new UsageError(
        `A new schedule needs ${missing}`,
        name,
        'Give --spec and --type, or the name of one that is there.',
      );
    }
    const schedule = await schedules.upsert(name, { ...options, spec, type });
    // Not its own: that is planned by a node, which has not seen it yet.
    const [next] = await schedules.preview(name, { count: 1 });
    const change = before === undefined ? 'made' : 'changed';
    const when = schedule.enabled ? `Next: ${next?.toISOString() ?? 'never'}.` : 'It is disabled.';
    output.done({ schedule: withoutPayload(schedule), next }, `Schedule ${name} is ${change}. ${when}`);
  });
}

/** Of `upsert()`, what is not given is as by default: here it stays as it is. */
function optionsOf(schedule: Schedule): Partial<ScheduleOptions> & { misfire: Misfire; overlap: Overlap } {
  const { spec, timeZone, type, payload, misfire, misfireLimit, overlap, jitter } = schedule;
  const { from, until, alertAfter, description, extra } = schedule;
  return {
    spec,
    timeZone,
    type,
    payload,
    misfire,
    misfireLimit,
    overlap,
    jitter,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(alertAfter === undefined ? {} : { alertAfter }),
    ...(description === undefined ? {} : { description }),
    ...(extra === undefined ? {} : { extra }),
  };
}
