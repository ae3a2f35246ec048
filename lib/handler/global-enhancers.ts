import { Scope } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { InvalidOptionError } from '../errors/invalid-option.error.js';

type Wrapper = Pick<ReturnType<ApplicationConfig['getGlobalRequestGuards']>[number], 'token' | 'scope' | 'metatype'>;

/** What the whole application has put around every handler. */
export class GlobalEnhancers {
  readonly isEmpty: boolean;
  readonly hasPipes: boolean;
  /** Tokens of those of which each job gets its own. */
  readonly perJob: readonly Wrapper['token'][];

  /** @throws InvalidOptionError for a transient one: Nest makes those for controllers only, and would leave it out without a word. */
  constructor(config: ApplicationConfig) {
    const scoped: Wrapper[] = [
      ...config.getGlobalRequestGuards(),
      ...config.getGlobalRequestPipes(),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestFilters(),
    ];
    refuseTransient(scoped);
    this.perJob = scoped.map(({ token }) => token);
    this.hasPipes = config.getGlobalPipes().length + config.getGlobalRequestPipes().length > 0;
    const others = [config.getGlobalGuards(), config.getGlobalInterceptors(), config.getGlobalFilters()];
    this.isEmpty = !this.hasPipes && scoped.length === 0 && others.every((each) => each.length === 0);
  }
}

function refuseTransient(scoped: readonly Wrapper[]): void {
  const transient = scoped.find(({ scope }) => scope === Scope.TRANSIENT);
  if (transient === undefined) return;
  const { name } = transient.metatype ?? { name: String(transient.token) };
  const cure = `The global enhancer ${name} is transient, which Nest supports for controllers only: give it another scope.`;
  throw new InvalidOptionError('forRoot().globalEnhancers', true, cure);
}
