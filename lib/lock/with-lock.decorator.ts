import { Inject } from '@nestjs/common';
import { InvalidLockError } from '../errors/invalid-lock.error.js';
import { NoLockServiceError } from '../errors/no-lock-service.error.js';
import { checkLockName, readLockTimes, readWait, WAIT_OPTIONS, type LockWaitOptions } from './lock-options.js';
import type { LockService } from './lock-service.js';
import { lockServiceToken } from './lock-service.token.js';

/**
 * Options of `@WithLock()`.
 *
 * @publicApi
 */
export interface WithLockOptions extends LockWaitOptions {
  /** How long a call waits for the lock. By default it does not: a call that finds the lock taken is left out. */
  wait?: LockWaitOptions['wait'];
  /** The `name` of the module whose locks are meant. By default the module without one. */
  queue?: string;
}

type Method = (...args: unknown[]) => unknown;
type Instance = Partial<Record<symbol, LockService>>;
type NameOf = (...args: unknown[]) => string;

/**
 * The method runs while its process holds the lock: of the cluster, one call at a time. `name` may be made of the call's arguments.
 *
 * The method answers a promise. Without `wait`, a call that finds the lock taken is left out and resolves `undefined`; with it, the
 * call waits, and then rejects with a `LockTimeoutError`. Inside, `LockService.current` is the lock.
 *
 * Above or below `@Cron()`, `@Interval()`, `@Timeout()`, `@JobHandler()` and the decorators of controllers. Not reentrant: a method
 * that calls another one with the same lock waits for itself, or leaves it out.
 *
 * @throws InvalidLockError, UnknownOptionError for a name and options that cannot be used, when the class is made.
 *
 * @publicApi
 */
export function WithLock(
  name: string | ((...args: never[]) => string),
  options: WithLockOptions = {},
): MethodDecorator {
  if (typeof name !== 'function') checkLockName(name);
  readLockTimes('@WithLock()', options, [...WAIT_OPTIONS, 'queue']);
  readWait(options);
  const { queue, wait, ...times } = options;
  const nameOf = typeof name === 'function' ? (name as NameOf) : () => name;
  return ((target: object, key: string | symbol, descriptor?: TypedPropertyDescriptor<Method>) => {
    const method = descriptor?.value;
    const label = `${target.constructor.name}.${String(key)}`;
    if (descriptor === undefined || method === undefined)
      throw new InvalidLockError('method', label, 'Decorate a method, and not a property.');
    const service = injectLocks(target, queue);
    descriptor.value = disguise(method, async function locked(this: Instance | undefined, ...args) {
      const locks = this?.[service];
      if (locks === undefined) throw new NoLockServiceError(label);
      const work = () => method.apply(this, args);
      const lock = nameOf(...args);
      return wait === undefined ? locks.tryUsing(lock, times, work) : locks.using(lock, { ...times, wait }, work);
    });
  }) as MethodDecorator;
}

/** Nest puts the service into each instance. A registered symbol: two copies of the package would make it twice. */
function injectLocks(target: object, queue: string | undefined): symbol {
  const key = Symbol.for(`nestjs-persistent-queue:locks ${queue ?? ''}`);
  Inject(lockServiceToken(queue))(target, key);
  return key;
}

/** What other decorators have written on the method is looked for on whatever stands in its place. */
function disguise(method: Method, wrapper: Method): Method {
  Object.defineProperty(wrapper, 'name', { value: method.name });
  for (const key of Reflect.getOwnMetadataKeys(method))
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  return wrapper;
}
