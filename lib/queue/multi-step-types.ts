import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

/** A fixed string, not a symbol of this module: the metadata must be found whichever copy of the package wrote it. */
export const MULTI_STEP_JOB_METADATA = 'nestjs-persistent-queue:multi-step-job';

/** Which job types have a `@MultiStepJob()` class in this process, also before the module has started: their keys are for ever. */
@Injectable()
export class MultiStepTypes {
  private types: ReadonlySet<string> | undefined;

  constructor(private readonly discovery: DiscoveryService) {}

  has(type: string): boolean {
    this.types ??= this.find();
    return this.types.has(type);
  }

  private find(): ReadonlySet<string> {
    const classes = [...this.discovery.getProviders(), ...this.discovery.getControllers()].map(
      ({ metatype }) => metatype,
    );
    const found = classes
      .filter((candidate) => typeof candidate === 'function')
      .map((owner) => Reflect.getMetadata(MULTI_STEP_JOB_METADATA, owner) as { type: unknown } | undefined)
      .flatMap((metadata) => (metadata === undefined ? [] : [String(metadata.type)]));
    return new Set(found);
  }
}
