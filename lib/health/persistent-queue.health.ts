import type { OnModuleInit } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { OldestDueJob } from '../repository/inspection-repository.js';
import type { Lateness } from '../repository/schedule-repository.js';
import { messageOf } from '../support/message-of.js';
import { within } from '../support/within.js';
import { readHealthOptions, readReadinessOptions } from './health-options.js';
import type { HealthOptions, ReadinessOptions, ResolvedHealthOptions } from './health-options.js';
import { nodeHealth, processHealth, type Part } from './node-health.js';
import { findQueueParts, type QueueParts } from './queue-parts.js';
import { Shared } from './shared.js';

const DEFAULT_KEY = 'persistent-queue';

/**
 * The queue as an indicator of `@nestjs/terminus`. None of its methods rejects because something is down, and none waits for longer than
 * its `timeout`; however often they are called, the database is asked once a second at most.
 *
 * @publicApi
 */
export class PersistentQueueHealthIndicator implements OnModuleInit {
  private parts!: QueueParts;
  /** The cheapest question of all, and its answer is needed anyway. */
  private readonly paused = new Shared<string[]>(() => this.parts.inspector.pausedTypes());
  private readonly oldestDue = new Shared<OldestDueJob[]>(() => this.parts.inspector.oldestDue());
  private readonly unhandled = new Shared<string[]>(() => this.parts.inspector.unhandledTypes());
  private readonly late = new Shared<Lateness[]>(() => this.parts.schedules.lateNow());

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly moduleRef: ModuleRef,
    private readonly queue?: string,
  ) {}

  onModuleInit(): void {
    this.parts = findQueueParts(this.moduleRef, this.queue);
  }

  /**
   * Whether jobs run as they should: the database, this process's node, the oldest due job, types without a handler, late schedules. For
   * a monitor and its alarms: none of that is a reason to stop a process, or to send it no requests.
   *
   * @throws InvalidOptionError, UnknownOptionError
   */
  async check<Key extends string = typeof DEFAULT_KEY>(
    key: Key = DEFAULT_KEY as Key,
    options: HealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const resolved = readHealthOptions(options);
    const [database, oldestDue, unhandledTypes, lateSchedules] = await Promise.all([
      this.databaseHealth(resolved),
      this.oldestDueHealth(resolved),
      resolved.unhandledTypes ? this.unhandledHealth(resolved) : OFF,
      resolved.lateSchedules ? this.lateHealth(resolved) : OFF,
    ]);
    const node = nodeHealth(this.parts, resolved.nodeBeat);
    return this.report(key, { database, node, oldestDue, unhandledTypes, lateSchedules });
  }

  /**
   * Whether this process can do its work: the database answers, and its node is alive. For a readiness probe: a backlog is no reason to
   * take a process out of the load balancer.
   *
   * @throws InvalidOptionError, UnknownOptionError
   */
  async isReady<Key extends string = typeof DEFAULT_KEY>(
    key: Key = DEFAULT_KEY as Key,
    options: ReadinessOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const resolved = readReadinessOptions(options);
    const database = await this.databaseHealth(resolved);
    return this.report(key, { database, node: nodeHealth(this.parts, resolved.nodeBeat) });
  }

  /**
   * Whether a new process would help. For a liveness probe: it asks no database, so that an outage of that restarts nothing.
   */
  isAlive<Key extends string = typeof DEFAULT_KEY>(key: Key = DEFAULT_KEY as Key): HealthIndicatorResult<Key> {
    return this.report(key, { node: processHealth(this.parts) });
  }

  private report<Key extends string>(key: Key, parts: Readonly<Record<string, Part>>): HealthIndicatorResult<Key> {
    const down = Object.keys(parts).filter((name) => parts[name]?.status === 'down');
    const data = { service: this.parts.options.serviceName, ...parts };
    const indicator = this.indicators.check(key);
    return down.length === 0 ? indicator.up(data) : indicator.down({ message: `down: ${down.join(', ')}`, ...data });
  }

  private databaseHealth({ timeout }: Limits): Promise<Part> {
    const asked = performance.now();
    return this.look(this.paused, timeout, () => ({ status: 'up', took: Math.round(performance.now() - asked) }));
  }

  private oldestDueHealth({ timeout, oldestDue: limit }: ResolvedHealthOptions): Promise<Part> {
    const both = { get: () => Promise.all([this.oldestDue.get(), this.paused.get()]) };
    return this.look(both, timeout, ([due, paused]) => {
      const oldest = due.find(({ type }) => !paused.includes(type));
      if (oldest === undefined) return { status: 'up', limit };
      const { type, id, age } = oldest;
      return { status: age > limit ? 'down' : 'up', limit, type, id, age };
    });
  }

  private unhandledHealth({ timeout }: Limits): Promise<Part> {
    return this.look(this.unhandled, timeout, (types) => ({ status: types.length > 0 ? 'down' : 'up', types }));
  }

  private lateHealth({ timeout }: Limits): Promise<Part> {
    return this.look(this.late, timeout, (late) => ({
      status: late.length > 0 ? 'down' : 'up',
      schedules: late.map(({ name }) => name),
    }));
  }

  private async look<T>(asked: Pick<Shared<T>, 'get'>, timeout: number, judge: (answer: T) => Part): Promise<Part> {
    try {
      return judge(
        await within(
          timeout,
          () => asked.get(),
          () => new Error(`no answer within ${timeout} ms`),
        ),
      );
    } catch (error) {
      return { status: 'down', reason: messageOf(error) };
    }
  }
}

type Limits = Pick<ResolvedHealthOptions, 'timeout'>;

const OFF: Part = { status: 'none', reason: 'it is not looked at' };
