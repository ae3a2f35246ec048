import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { DecoratedMethodScanner, type DecoratedMethod } from '../handler/decorated-method.scanner.js';
import { JOB_HANDLER_METADATA, type JobHandlerMetadata } from '../handler/job-handler.decorator.js';
import { JobHandlerExplorer, refuseOperation } from '../handler/job-handler.explorer.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import { SeenMethods } from '../handler/seen-methods.js';
import type { NewSchedule } from '../job/schedule.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JOB_SCHEDULE_METADATA, type JobScheduleMetadata, type JobScheduleOptions } from './job-schedule.decorator.js';
import { readSchedule } from './read-schedule.js';
import { TIMING, type ScheduleOptions, type ScheduleTiming } from './schedule-options.js';

/** From decorated methods to declared schedules, and to handlers of their jobs. What cannot work stops the application. */
@Injectable()
export class JobScheduleExplorer {
  /** All that have been found. */
  readonly declared: NewSchedule[] = [];
  private readonly methods = new Map<string, string>();
  private readonly seen = new SeenMethods();

  constructor(
    private readonly scanner: DecoratedMethodScanner,
    private readonly handlers: JobHandlerExplorer,
    private readonly registry: JobHandlerRegistry,
    private readonly options: ResolvedOptions,
  ) {}

  /** Adds those that have not been found before. */
  explore(): void {
    for (const decorated of this.scanner.scan<JobScheduleMetadata>(JOB_SCHEDULE_METADATA)) {
      if (decorated.metadata.options.queue !== this.options.name || this.seen.has(decorated)) continue;
      const method = `${decorated.class.name}.${decorated.method}`;
      const { name = method } = decorated.metadata.options;
      refuseSecond(this.methods.get(name), method, name);
      this.declared.push(this.declare(decorated, method, name));
      this.methods.set(name, method);
      this.seen.add(decorated);
    }
  }

  private refuseOperation(type: unknown): void {
    const handler = this.registry.get(String(type));
    if (handler !== undefined) refuseOperation(handler);
  }

  private declare(decorated: DecoratedMethod<JobScheduleMetadata>, method: string, name: string): NewSchedule {
    const { spec, options } = decorated.metadata;
    const { name: _, queue, ...others } = options;
    const { timing, handling } = split(others);
    const handler = handlerOf(decorated);
    const type = handler?.options.queue === queue ? handler?.type : undefined;
    if (type !== undefined) this.refuseOperation(type);
    const schedule = this.read(name, method, { ...timing, spec, type: (type ?? name) as string });
    if (type === undefined)
      this.handlers.register({
        ...decorated,
        metadata: { type: name, options: { ...handling, ...(queue && { queue }) } },
      });
    return schedule;
  }

  private read(name: string, method: string, options: ScheduleOptions): NewSchedule {
    try {
      return readSchedule(name, options, this.options.maxPayloadBytes);
    } catch (error) {
      if (!(error instanceof InvalidScheduleError)) throw error;
      throw new InvalidHandlerError(method, error.value, '@JobSchedule() cannot be used', error.message);
    }
  }
}

function refuseSecond(first: string | undefined, method: string, name: string): void {
  if (first === undefined) return;
  const cure = 'Give each a name of its own.';
  throw new InvalidHandlerError(method, name, `@JobSchedule() has the name of that on ${first}`, cure);
}

/** What is not of the schedule is of its handler, which refuses what it does not know. */
function split(options: JobScheduleOptions) {
  const entries = Object.entries(options);
  const isTiming = ([name]: [string, unknown]) => (TIMING as readonly string[]).includes(name);
  return {
    timing: Object.fromEntries(entries.filter(isTiming)) as ScheduleTiming,
    handling: Object.fromEntries(entries.filter((entry) => !isTiming(entry))),
  };
}

function handlerOf({ class: owner, method }: DecoratedMethod<unknown>): JobHandlerMetadata | undefined {
  const prototype = owner.prototype as object;
  return Reflect.getMetadata(JOB_HANDLER_METADATA, Reflect.get(prototype, method) as object) as
    JobHandlerMetadata | undefined;
}
