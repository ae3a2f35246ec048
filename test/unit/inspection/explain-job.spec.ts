import { describe, expect, it } from '@jest/globals';
import { explainJob } from '../../../lib/inspection/explain-job.js';
import type { Job } from '../../../lib/job/job.js';
import type { HandledLimits } from '../../../lib/job/handled-type.js';
import type {
  JobSituation,
  NodeStatus,
  NodeType,
  SlotKind,
  TakenSlot,
} from '../../../lib/repository/inspection-repository.js';

const DUE = new Date('2026-11-21T10:00:00.000Z');
const INCOMPATIBLE = { name: 'IncompatibleStepsError', message: 'The steps have changed.' };

const waiting = (job: Partial<Job> = {}, situation: Partial<JobSituation> = {}): JobSituation => ({
  job: { id: '7', type: 't', state: 'waiting', dueAt: DUE, crashes: 0, ...job } as Job,
  node: undefined,
  started: false,
  recorded: false,
  suspect: false,
  overdue: 1_000,
  expired: false,
  paused: false,
  ahead: 0,
  filed: true,
  slots: [],
  ...situation,
});

const type = (given: Partial<NodeType> = {}): NodeType => ({
  type: 't',
  concurrency: 2,
  maxCrashes: 3,
  deadline: undefined,
  running: 0,
  ...given,
});

const node = (given: Partial<NodeStatus> = {}): NodeStatus => ({
  id: '1',
  name: 'host:1#1',
  state: 'alive',
  registeredAt: DUE,
  beatAt: DUE,
  types: [type()],
  concurrency: 10,
  running: 0,
  ...given,
});

const reasonsOf = (situation: JobSituation, nodes: readonly NodeStatus[] = [node()]) =>
  explainJob(situation, nodes).reasons.map(({ reason }) => reason);

describe('an explanation', () => {
  it('names the strongest reason first, and says each in a sentence', () => {
    const { reasons, sentences, ...job } = explainJob(
      waiting({ state: 'scheduled' }, { paused: true, overdue: -5, suspect: true }),
      [node({ types: [type({ running: 2, maxCrashes: 1 })] }), node({ name: 'host:2#2', types: [] })],
    );
    expect(job).toEqual({ id: '7', type: 't', state: 'scheduled' });
    expect(reasons).toEqual([
      { reason: 'paused' },
      { reason: 'not-due', until: DUE },
      { reason: 'concurrency-full', nodes: [{ node: 'host:1#1', running: 2, limit: 2 }] },
      { reason: 'last-chance', crashes: 0 },
    ]);
    expect(sentences).toEqual([
      "Its type 't' is paused.",
      'It waits for its time: 2026-11-21T10:00:00.000Z.',
      "Every node that handles its type 't' runs as many jobs as it may: host:1#1 has 2 of 2.",
      'A process has died while it was running: it is on its last chance, and waits until it can run alone.',
    ]);
  });

  it.each<[string, readonly NodeStatus[], string]>([
    ['nobody is there', [], 'No node of the service is alive.'],
    ['all are gone', [node({ state: 'dead' }), node({ state: 'silent' })], 'No node of the service is alive.'],
    [
      'nobody of those who are there handles it',
      Array.from({ length: 7 }, (_, n) => node({ name: `n${n}`, types: [type({ type: 'T' })] })),
      "No living node handles its type 't'. Alive: n0, n1, n2, n3, n4 and 2 more.",
    ],
  ])('where %s', (_, nodes, sentence) => {
    expect(explainJob(waiting(), nodes).sentences).toEqual([sentence]);
  });

  it.each([
    ['silent', 'Node host:1#1 had it, and has not been heard of for longer than its lease: '],
    ['dead', 'Node host:1#1 had it, and has been found dead: '],
    ['stopped', 'Node host:1#1 had it, and has stopped: '],
  ] as const)('says that the node that has it is %s', (state, sentence) => {
    const running = waiting({ state: 'running' }, { node: { name: 'host:1#1', state } });
    const cure = 'it runs again when a living node finds it, within the lease.';
    expect(explainJob(running, [node({ state }), node()]).sentences).toEqual([sentence + cure]);
    expect(reasonsOf(running, [node({ state })])).toEqual(['node-gone', 'no-live-node']);
  });

  it.each<[number, string]>([
    [0, 'Nothing is in its way: it is the next of its type.'],
    [1, 'Nothing is in its way but 1 due job of its type that comes before it.'],
    [2, 'Nothing is in its way but 2 due jobs of its type that come before it.'],
    [10_000, 'Nothing is in its way but 10000 or more due jobs of its type that come before it.'],
  ])('counts those before it: %i', (ahead, sentence) => {
    expect(explainJob(waiting({}, { ahead }), [node()]).sentences).toEqual([sentence]);
  });

  it('is of the limit that is reached, the type’s or the node’s', () => {
    const full = node({ running: 10, types: [type({ running: 1 })] });
    expect(explainJob(waiting(), [full]).reasons).toEqual([
      { reason: 'concurrency-full', nodes: [{ node: 'host:1#1', running: 10, limit: 10 }] },
    ]);
    expect(reasonsOf(waiting(), [full, node()])).toEqual(['next']);
    expect(reasonsOf(waiting(), [full, node({ state: 'silent' })])).toEqual(['concurrency-full']);
  });

  it('takes the deadline of its type from its handlers until the first claim has written it down', () => {
    const strict = [node({ types: [type({ deadline: 500 })] })];
    expect(reasonsOf(waiting({}, { overdue: 500 }), strict)).toEqual(['next']);
    expect(reasonsOf(waiting({}, { overdue: 501 }), strict)).toEqual(['expired']);
    expect(reasonsOf(waiting({ deadline: DUE }, { overdue: 501 }), strict)).toEqual(['next']);
    expect(reasonsOf(waiting({ deadline: DUE }, { expired: true }))).toEqual(['expired']);
  });

  it('knows incompatible steps by the error, as long as nobody has gone on with them since', () => {
    const job = waiting({ lastError: INCOMPATIBLE }, { overdue: -1 });
    expect(reasonsOf(job)).toEqual(['incompatible-steps']);
    expect(reasonsOf({ ...job, overdue: 1 })).toEqual(['incompatible-steps']);
    expect(reasonsOf({ ...job, recorded: true })).toEqual(['not-due']);
    expect(explainJob(job, [node()]).sentences).toEqual([
      'The steps have changed. It is tried again at 2026-11-21T10:00:00.000Z.',
    ]);
  });

  it('of a last chance is as its handlers count crashes', () => {
    const suspect = waiting({ crashes: 2 }, { suspect: true });
    expect(reasonsOf(suspect)).toEqual(['last-chance']);
    expect(reasonsOf(suspect, [node({ types: [type({ maxCrashes: 4 })] })])).toEqual(['next']);
    expect(reasonsOf({ ...suspect, suspect: false })).toEqual(['next']);
    expect(explainJob(suspect, [node()]).sentences).toEqual([
      'Processes have died while it was running, 2 of them held against it: it is on its last chance, and waits until it can run alone.',
    ]);
  });

  const slot = (kind: SlotKind, n: number, age = 5): TakenSlot => ({
    kind,
    n,
    age,
    takenAt: new Date(DUE.getTime() - age),
  });
  const limited = (limits: HandledLimits) => node({ types: [type({ limits })] });

  it.each<[string, HandledLimits, readonly TakenSlot[], Partial<Job>, string]>([
    [
      'its type in the cluster',
      { concurrency: 1 },
      [slot('type', 1)],
      {},
      "In the whole cluster as many jobs of its type 't' run as may: 1 of 1.",
    ],
    [
      'its key',
      { perKey: 2 },
      [slot('key', 1), slot('key', 2)],
      { concurrencyKey: 'acme' },
      "As many jobs of its type 't' with the concurrency key 'acme' run as may: 2 of 2.",
    ],
    [
      'those without a key',
      { perKey: 1 },
      [slot('key', 1)],
      {},
      "As many jobs of its type 't' without a concurrency key run as may: 1 of 1.",
    ],
    [
      'a rate',
      { rate: { max: 2, per: 60_000 } },
      [slot('rate', 1, 10_000), slot('rate', 2, 20_000)],
      {},
      "As many jobs of its type 't' have begun as may, 2 in 60 s: the next begins at 2026-11-21T10:00:40.000Z.",
    ],
  ])('says that a limit is reached, of %s', (_, limits, slots, job, sentence) => {
    expect(explainJob(waiting(job, { slots }), [limited(limits)]).sentences).toEqual([sentence]);
    expect(reasonsOf(waiting(job, { slots: slots.slice(1) }), [limited(limits)])).toEqual(['next']);
  });

  it('counts slots above a lowered limit, and leaves out starts that are long ago, and limits that not every handler has', () => {
    expect(reasonsOf(waiting({}, { slots: [slot('type', 2)] }), [limited({ concurrency: 1 })])).toEqual([
      'global-concurrency-full',
    ]);
    const begun = waiting({}, { slots: [slot('rate', 1, 100)] });
    expect(reasonsOf(begun, [limited({ rate: { max: 1, per: 100 } })])).toEqual(['next']);
    expect(reasonsOf(begun, [limited({ rate: { max: 1, per: 101 } })])).toEqual(['rate-limited']);
    expect(reasonsOf(begun, [limited({ rate: { max: 1, per: 101 } }), node()])).toEqual(['next']);
  });

  it('of several handlers with a rate is as the first may go on', () => {
    const begun = waiting({}, { slots: [slot('rate', 1, 0)] });
    const handlers = [9_000, 1_000, 500].map((per) => limited({ rate: { max: 1, per } }));
    expect(explainJob(begun, handlers).sentences).toEqual([
      "As many jobs of its type 't' have begun as may, 1 in 500 ms: the next begins at 2026-11-21T10:00:00.500Z.",
    ]);
  });

  it('says so when nobody knows its key yet', () => {
    const unfiled = waiting({}, { filed: false, ahead: 3 });
    expect(explainJob(unfiled, [limited({ perKey: 1 })]).sentences).toEqual([
      'It was stored without its concurrency key, which the next claim of its type finds out, after those of 3 due jobs of its type that come before it.',
    ]);
    expect(reasonsOf(unfiled)).toEqual(['next']);
  });
});
