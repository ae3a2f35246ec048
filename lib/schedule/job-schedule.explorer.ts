import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { DecoratedMethodScanner, type DecoratedMethod } from '../handler/decorated-method.scanner.js';
import { JOB_HANDLER_METADATA, type JobHandlerMetadata } from '../handler/job-handler.decorator.js';
import { JobHandlerExplorer, refuseOperation } from '../handler/job-handler.explorer.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { NewSchedule } from '../job/schedule.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JOB_SCHEDULE_METADATA, type JobScheduleMetadata, type JobScheduleOptions } from './job-schedule.decorator.js';
import { readSchedule } from './read-schedule.js';
import { TIMING, type ScheduleTiming } from './schedule-options.js';

/** From decorated methods to declared schedules, and to handlers of their jobs. What cannot work stops the application. */
@Injectable()
export class JobScheduleExplorer {
  constructor(
    private readonly scanner: DecoratedMethodScanner,
    private readonly handlers: JobHandlerExplorer,
    private readonly registry: JobHandlerRegistry,
    private readonly options: ResolvedOptions,
  ) {}

  explore(): NewSchedule[] {
    const declared = new Map<string, string>();
    return this.scanner
      .scan<JobScheduleMetadata>(JOB_SCHEDULE_METADATA)
      .filter(({ metadata }) => metadata.options.queue === this.options.name)
      .map((decorated) => {
        const method = `${decorated.class.name}.${decorated.method}`;
        const { name = method } = decorated.metadata.options;
        refuseSecond(declared.get(name), method, name);
        declared.set(name, method);
        return this.declare(decorated, method, name);
      });
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
    if (type === undefined)
      this.handlers.register({
        ...decorated,
        metadata: { type: name, options: { ...handling, ...(queue && { queue }) } },
      });
    try {
      return readSchedule(name, { ...timing, spec, type: (type ?? name) as string }, this.options.maxPayloadBytes);
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
