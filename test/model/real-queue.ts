import { expect, jest } from '@jest/globals';
import type { ClaimedJob, JobLevel } from '../../lib/job/job.js';
import type { ClaimRequest } from '../../lib/repository/job-repository.js';
import type { Model } from './model.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import { SOON, type ModelAttempt, type ModelJob } from './model-state.js';

type Row = Record<string, unknown>;

/** The queue under test, and what its tables say. */
export class RealQueue {
  private readonly marks = new Map<string, number>();
  private readonly clock: { mockRestore(): void };
  private ahead = 0;

  constructor(
    readonly fixture: QueueFixture,
    /** Claims may begin where the last one ended: see LowWaterMarks. */
    private readonly hasLowWaterMarks: boolean,
  ) {
    const now = performance.now.bind(performance);
    this.clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + this.ahead);
  }

  close(): Promise<void> {
    this.clock.mockRestore();
    return this.fixture.close();
  }

  /** The clock of this process, unlike the database's, can be moved. No low-water mark outlives a second of it. */
  moveClock(span: number): void {
    this.ahead += span;
    this.marks.clear();
  }

  lowWaterMark(level: JobLevel): number | undefined {
    return this.marks.get(`${level.priority} ${level.type}`);
  }

  advanceLowWaterMark({ type, priority, limit }: ClaimRequest, claimed: readonly ClaimedJob[]): void {
    const last = claimed.at(-1);
    if (this.hasLowWaterMarks && last !== undefined && claimed.length === limit)
      this.marks.set(`${priority} ${type}`, last.due);
    else this.marks.delete(`${priority} ${type}`);
  }

  /** Fails at the first difference between the tables and the model; reads the times that the model could only estimate. */
  async expectToEqual(model: Model): Promise<void> {
    const [jobRows, attempts, nodes] = await Promise.all([
      this.rows('SELECT * FROM pq_job WHERE service = ? ORDER BY id'),
      this.rows('SELECT * FROM pq_attempt WHERE service = ? ORDER BY job_id, fence'),
      this.rows('SELECT id, state FROM pq_node WHERE service = ? ORDER BY id'),
    ]);
    const jobs = jobRows.map(readJob);
    for (const job of jobs) readEstimates(model, job);
    model.estimates.clear();
    expect(jobs).toEqual([...model.jobs.values()].sort(byId));

    const recorded = [...model.attempts.values()].map(({ endedAt: _endedAt, ...attempt }) => attempt);
    expect(attempts.map(readAttempt)).toEqual(recorded.sort((a, b) => byId(a, b) || a.fence - b.fence));

    const states = [...model.nodes.values()].map(({ id, state }) => ({ id, state }));
    expect(nodes.map(({ id, state }) => ({ id: String(id), state: String(state) }))).toEqual(states);
  }

  rows(sql: string): Promise<Row[]> {
    return this.fixture.sql(sql, [this.fixture.service]);
  }
}

/** The database's clock has decided; the model knows only about when. */
function readEstimates(model: Model, real: ModelJob): void {
  const job = model.jobs.get(real.id);
  for (const field of ['due', 'expiresAt'] as const) {
    if (job === undefined || !model.estimates.has(`${real.id}:${field}`)) continue;
    expect(Math.abs(Number(real[field]) - Number(job[field]))).toBeLessThan(SOON);
    Object.assign(job, { [field]: real[field] });
  }
}

function byId(a: { id: string }, b: { id: string }): number {
  return Number(a.id) - Number(b.id);
}

function readJob(row: Row): ModelJob {
  return {
    id: String(row['id']),
    type: String(row['type']),
    priority: Number(row['priority']),
    keyScope: String(row['key_scope']) as ModelJob['keyScope'],
    state: String(row['state']) as ModelJob['state'],
    due: Number(row['due']),
    fence: Number(row['fence']),
    node: text(moment(row['node_id'])),
    started: Number(row['started_at']) > 0,
    deadline: number(row['deadline']),
    retries: Number(row['retries']),
    crashes: Number(row['crashes']),
    maxCrashes: Number(row['max_crashes']),
    suspect: Number(row['suspect']) > 0,
    finished: Number(row['finished_at']) > 0,
    manual: Number(row['ack_timeout']) > 0,
    delivered: Number(row['delivered_at']) > 0,
    expiresAt: number(moment(row['expires_at'])),
    key: text(row['job_key']),
    pastKey: text(row['past_key']),
    payload: text(row['payload']),
  };
}

function readAttempt(row: Row): ModelAttempt {
  return {
    id: String(row['job_id']),
    fence: Number(row['fence']),
    attempt: Number(row['attempt']),
    node: String(row['node']),
    outcome: String(row['outcome']),
    reason: text(row['reason']),
  };
}

/** The application's driver may answer names as bytes, and BIGINT as a string. */
function text(value: unknown): string | null {
  return value === null ? null : `${value as string | number}`;
}

function number(value: unknown): number | null {
  return value === null ? null : Number(value);
}

/** 0 stands for none. */
function moment(value: unknown): unknown {
  return Number(value) === 0 ? null : value;
}
