import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { jobTypeFault } from '../job/job-type.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { resolveHandlerOptions } from '../options/resolve-handler-options.js';
import { DecoratedMethodScanner, type DecoratedMethod } from './decorated-method.scanner.js';
import { HandlerInvoker } from './handler-invoker.js';
import { JOB_HANDLER_METADATA, type JobHandlerMetadata } from './job-handler.decorator.js';
import { JobHandlerRegistry } from './job-handler.registry.js';
import type { RegisteredHandler } from './registered-handler.js';

/** From decorated methods to registered handlers. What cannot work stops the application, naming class and method. */
@Injectable()
export class JobHandlerExplorer {
  constructor(
    private readonly scanner: DecoratedMethodScanner,
    private readonly invoker: HandlerInvoker,
    private readonly registry: JobHandlerRegistry,
    private readonly options: ResolvedOptions,
  ) {}

  explore(): void {
    for (const decorated of this.scanner.scan<JobHandlerMetadata>(JOB_HANDLER_METADATA)) {
      if (decorated.metadata.options?.queue === this.options.name) this.register(decorated);
    }
  }

  register(decorated: DecoratedMethod<JobHandlerMetadata>): void {
    this.registry.register(this.toHandler(decorated));
  }

  private toHandler(decorated: DecoratedMethod<JobHandlerMetadata>): RegisteredHandler {
    const name = `${decorated.class.name}.${decorated.method}`;
    const { type, options } = decorated.metadata;
    const fault = jobTypeFault(type);
    if (fault !== undefined) throw new InvalidHandlerError(name, type, '@JobHandler() needs a job type', fault);
    const { queue: _, ...handlerOptions } = options;
    const given = { ...handlerOptions, ...this.options.handlers[String(type)] };
    const resolved = resolveHandlerOptions(`@JobHandler('${String(type)}') on ${name}`, given);
    const { retention } = this.options;
    return {
      type: String(type),
      name,
      options: resolved,
      retention: {
        succeeded: resolved.retention.succeeded ?? retention.succeeded,
        failed: resolved.retention.failed ?? retention.failed,
      },
      invoke: this.invoker.create(decorated, String(type)),
    };
  }
}
