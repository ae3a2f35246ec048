import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ResolvedOptions } from '../options/resolved-options.js';

/** A fixed string, not a symbol of this module: the metadata must be found whichever copy of the package wrote it. */
export const MULTI_STEP_JOB_METADATA = 'nestjs-persistent-queue:multi-step-job';

interface Metadata {
  readonly type: unknown;
  readonly options: { readonly queue?: string };
}

/** Which job types have a `@MultiStepJob()` class in this process, also before the module has started: their keys are for ever. */
@Injectable()
export class MultiStepTypes {
  private types: ReadonlySet<string> | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly options: ResolvedOptions,
  ) {}

  has(type: string): boolean {
    this.types ??= this.find();
    return this.types.has(type);
  }

  /** Classes have come that were not there before. */
  forget(): void {
    this.types = undefined;
  }

  private find(): ReadonlySet<string> {
    const classes = [...this.discovery.getProviders(), ...this.discovery.getControllers()].map(
      ({ metatype }) => metatype,
    );
    const found = classes
      .filter((candidate) => typeof candidate === 'function')
      .map((owner) => Reflect.getMetadata(MULTI_STEP_JOB_METADATA, owner) as Metadata | undefined)
      .filter((metadata) => metadata !== undefined)
      .filter(({ options }) => options.queue === this.options.name)
      .map(({ type }) => String(type));
    return new Set(found);
  }
}
