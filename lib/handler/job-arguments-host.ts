import type { ArgumentsHost } from '@nestjs/common';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import type { JobContext } from '../job/job-context.js';

/**
 * What a guard, interceptor, filter or parameter decorator asks for when its context is a job's: as `host.switchToHttp()` for requests.
 *
 *     if (context.getType<ContextType | 'job'>() === 'job') return this.mayRun(JobArgumentsHost.from(context).getPayload());
 *
 * @publicApi
 */
export class JobArgumentsHost {
  private constructor(private readonly args: readonly unknown[]) {}

  /** @throws InvalidOptionError when it is the context of something else: ask `host.getType()` first. */
  static from(host: ArgumentsHost): JobArgumentsHost {
    const type = host.getType<string>();
    if (type === 'job') return new JobArgumentsHost(host.getArgs());
    const cure = "This is no context of a job. Ask for it only when host.getType() is 'job'.";
    throw new InvalidOptionError('JobArgumentsHost.from().getType()', type, cure);
  }

  /** Of a step, its job's context object. Before any pipe has seen it. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as getRequest<T>() and its like in Nest
  getPayload<Payload = unknown>(): Payload {
    return this.args[0] as Payload;
  }

  getJob(): JobContext {
    return this.args[1] as JobContext;
  }
}
