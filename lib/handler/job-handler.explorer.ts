import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { jobTypeFault } from '../job/job-type.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { refuseContradictions, resolveHandlerOptions } from '../options/resolve-handler-options.js';
import { DecoratedMethodScanner, type DecoratedMethod } from './decorated-method.scanner.js';
import { HandlerInvoker } from './handler-invoker.js';
import { JOB_HANDLER_METADATA, type JobHandlerMetadata } from './job-handler.decorator.js';
import { JobHandlerRegistry } from './job-handler.registry.js';
import type { HandlerFacts, RegisteredHandler } from './registered-handler.js';

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
    const facts = this.describe('@JobHandler', name, decorated.metadata);
    return { ...facts, invoke: this.invoker.create(decorated, facts.type) };
  }

  /** All about a handler but how it is called. `decorator`: of whose options it is the meaning. */
  describe(decorator: string, name: string, { type, options }: JobHandlerMetadata): HandlerFacts {
    const fault = jobTypeFault(type);
    if (fault !== undefined) throw new InvalidHandlerError(name, type, `${decorator}() needs a job type`, fault);
    const { queue: _, ...handlerOptions } = options;
    const given = { ...handlerOptions, ...this.options.handlers[String(type)] };
    const owner = `${decorator}('${String(type)}') on ${name}`;
    const resolved = resolveHandlerOptions(owner, given);
    refuseContradictions(owner, given);
    const { retention } = this.options;
    return {
      type: String(type),
      name,
      options: resolved,
      retention: {
        succeeded: resolved.retention.succeeded ?? retention.succeeded,
        failed: resolved.retention.failed ?? retention.failed,
      },
    };
  }
}
