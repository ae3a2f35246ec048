import { Controller, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { DuplicateHandlerError } from '../../lib/errors/duplicate-handler.error.js';
import { InvalidHandlerError } from '../../lib/errors/invalid-handler.error.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import { JobHandler, type JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';

const sqlite = databases().filter(({ name }) => name === 'sqlite');

@Injectable()
class TwoHandlers {
  private readonly prefix = 'this is ';

  @JobHandler('one')
  one(): string {
    return `${this.prefix}one`;
  }

  @JobHandler('two')
  async two(): Promise<string> {
    return `${this.prefix}two`;
  }

  get trap(): never {
    throw new Error('a getter was read');
  }
}

@Controller()
class ControllerWithHandler {
  @JobHandler('from.controller')
  run(): string {
    return 'controller';
  }
}

abstract class Base {
  abstract readonly greeting: string;

  @JobHandler('inherited')
  run(): string {
    return this.greeting;
  }
}

@Injectable()
class Inheriting extends Base {
  readonly greeting = 'from the subclass';
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  private readonly born = ++RequestScoped.births;
  private static births = 0;

  constructor(@Inject(REQUEST) private readonly request: JobContext) {}

  @JobHandler('scoped')
  run(_: unknown, job: JobContext): unknown {
    return { born: this.born, sameJob: this.request.id === job.id };
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient {
  @JobHandler('transient')
  run(): string {
    return 'transient';
  }
}

class Made {
  constructor(private readonly how: string) {}

  @JobHandler('made')
  run(): string {
    return this.how;
  }
}

@Module({ providers: [TwoHandlers], exports: [TwoHandlers] })
class ModuleA {}

@Module({ providers: [TwoHandlers] })
class ModuleB {}

describe.each(sqlite)('discovery', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture | undefined;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions): Promise<AppFixture> {
    fixture = await startApp(schema, { ...options, queue: { serviceName: `service-${++services}`, ...options.queue } });
    return fixture;
  }

  async function resultOf(type: string, payload?: unknown): Promise<unknown> {
    const { id } = await (fixture as AppFixture).queue.enqueue(type, payload);
    return (await (fixture as AppFixture).waitFor(id, 'succeeded', 'failed')).result;
  }

  it('finds several handlers of one class and reads no getter', async () => {
    await start({ providers: [TwoHandlers] });
    expect([await resultOf('one'), await resultOf('two')]).toEqual(['this is one', 'this is two']);
  });

  it('finds handlers on controllers, inherited ones, and ones of factories', async () => {
    await start({
      controllers: [ControllerWithHandler],
      providers: [Inheriting, { provide: 'MADE', useFactory: () => new Made('by a factory') }],
    });
    expect(await resultOf('from.controller')).toBe('controller');
    expect(await resultOf('inherited')).toBe('from the subclass');
    expect(await resultOf('made')).toBe('by a factory');
  });

  it('takes a class in two modules, or an alias of it, for one handler', async () => {
    await start({
      imports: [ModuleA, ModuleB],
      providers: [{ provide: 'ALIAS', useExisting: Inheriting }, Inheriting],
    });
    expect(await resultOf('one')).toBe('this is one');
    expect(await resultOf('inherited')).toBe('from the subclass');
  });

  it('makes a request-scoped provider anew for each job, whose request is the job', async () => {
    await start({ providers: [RequestScoped] });
    const [first, second] = [await resultOf('scoped'), await resultOf('scoped')] as {
      born: number;
      sameJob: boolean;
    }[];
    expect(first).toMatchObject({ sameJob: true });
    expect(second).toMatchObject({ sameJob: true, born: Number(first?.born) + 1 });
  });

  it('runs transient providers', async () => {
    await start({ providers: [Transient] });
    expect(await resultOf('transient')).toBe('transient');
  });

  it('waits for an Observable’s last value', async () => {
    await start({ providers: [handler('stream', () => of(1, 2, 3))] });
    expect(await resultOf('stream')).toBe(3);
  });

  it('takes an integer for a type', async () => {
    await start({ providers: [handler(42, () => 'the answer')] });
    expect(await resultOf('42')).toBe('the answer');
  });

  it('takes a definition, its options, and the configuration that overrides them', async () => {
    const Defined = defineJob<{ n: number }>('defined', { maxRetries: 7 });
    @Injectable()
    class Handlers {
      @JobHandler(Defined)
      run({ n }: { n: number }, job: JobContext): unknown {
        return [n, job.maxAttempts];
      }

      @JobHandler('configured', { maxRetries: 1 })
      configured(_: unknown, job: JobContext): unknown {
        return job.maxAttempts;
      }
    }
    const { queue, waitFor } = await start({
      providers: [Handlers],
      queue: { handlers: { configured: { maxRetries: 4 } } },
    });
    const { id } = await queue.enqueue(Defined, { n: 1 });
    expect((await waitFor(id, 'succeeded')).result).toEqual([1, 8]);
    expect(await resultOf('configured')).toBe(5);
  });

  it('runs only the types that the options leave to this process', async () => {
    const providers = [handler('light', () => 'l'), handler('heavy', () => 'h')];
    const { queue } = await start({ providers, queue: { types: { exclude: ['heavy'] } } });
    const { id } = await queue.enqueue('heavy');
    expect(await resultOf('light')).toBe('l');
    expect((await queue.get(id))?.state).toBe('waiting');
  });

  it('refuses two handlers of one type, naming both', async () => {
    @Injectable()
    class Rival {
      @JobHandler('one')
      steal(): void {}
    }
    const starting = start({ providers: [TwoHandlers, Rival] });
    await expect(starting).rejects.toThrow(DuplicateHandlerError);
    await expect(starting).rejects.toThrow(/TwoHandlers\.one and Rival\.steal/);
  });

  it.each([
    ['an empty type', '', {}, InvalidHandlerError, /Handler\.handle.*at least one character/],
    ['a type of 300 characters', 'x'.repeat(300), {}, InvalidHandlerError, /at most 128 characters \(it has 300\)/],
    ['a fraction for a type', 1.5, {}, InvalidHandlerError, /integer/],
    ['an unknown option', 'a', { maxRetry: 3 }, UnknownOptionError, /Handler\.handle.*Did you mean 'maxRetries'/],
    ['a negative option', 'a', { maxRetries: -1 }, InvalidOptionError, /Handler\.handle\.maxRetries.*-1.*from 0/],
    ['a duration that is none', 'a', { waitTime: '3 moons' }, InvalidOptionError, /waitTime.*'3 moons'/],
    ['NaN', 'a', { timeout: NaN }, InvalidOptionError, /timeout.*NaN/],
  ] as const)('refuses %s, naming class and method', async (_, type, options, error, message) => {
    const starting = start({ providers: [handler(type, () => undefined, options as JobHandlerDecoratorOptions)] });
    await expect(starting).rejects.toThrow(error);
    await expect(starting).rejects.toThrow(message);
  });
});
