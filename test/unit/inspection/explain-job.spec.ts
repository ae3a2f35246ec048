import { describe, expect, it } from '@jest/globals';
import { explainJob } from '../../../lib/inspection/explain-job.js';
import type { Job } from '../../../lib/job/job.js';
import type { JobSituation, NodeStatus, NodeType } from '../../../lib/repository/inspection-repository.js';

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
});
