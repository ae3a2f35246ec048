import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { CUSTOM_ARGUMENT, ROUTE_ARGUMENTS } from './nest-metadata.js';

type ParamsFactory = NonNullable<Parameters<ExternalContextCreator['create']>[4]>;

/** A parameter as Nest describes it. Its key is `kind:index`. */
export interface Parameter {
  readonly index: number;
  /** Of a payload: which property. Of what is handed on as it came: which argument. */
  readonly data: string | number | undefined;
  readonly pipes: readonly (Type<PipeTransform> | PipeTransform)[];
}

/** Nest's number of `@Body()`, and of `@Payload()` of its microservices: pipes see it as `body`. */
export const PAYLOAD = 3;
/** No kind of Nest's: a route that is a handler too gets nothing from it. */
export const AS_CALLED = -1;

/** What the handler of a job, a step or a callback is called with: payload, job, and of some the error. */
const MOST_ARGUMENTS = 3;
const PARAMETERS = 'nestjs-persistent-queue:parameters';

/**
 * Tells Nest what each parameter is: what its decorator says, and by its place what has none. Answers the key under which it has done
 * so, or nothing when the arguments need no look: no parameter is decorated, and there is no pipe that might want the payload.
 */
export function describeParameters(owners: readonly object[], method: string, hasPipes: boolean): string | undefined {
  const decorated = owners
    .map((owner) => Reflect.getMetadata(ROUTE_ARGUMENTS, owner, method) as Record<string, Parameter> | undefined)
    .find((found) => found !== undefined);
  if (decorated === undefined && !hasPipes) return undefined;
  const parameters = new Map<number, readonly [string, Parameter]>();
  for (let index = 0; index < MOST_ARGUMENTS; index++) parameters.set(index, undecorated(index));
  for (const [key, parameter] of Object.entries(decorated ?? {})) {
    if (isOurs(key)) parameters.set(parameter.index, [key, parameter]);
  }
  // Nest reads it from the class on which it finds the method, which a mixin or a proxy may have changed.
  for (const owner of owners)
    Reflect.defineMetadata(PARAMETERS, Object.fromEntries(parameters.values()), owner, method);
  return PARAMETERS;
}

/** What Nest calls for each parameter that has no factory of its own. */
export const parametersFactory: ParamsFactory = {
  exchangeKeyForValue(kind: number, data: unknown, args: readonly unknown[]): unknown {
    if (kind === AS_CALLED) return args[data as number];
    const [payload] = args;
    if (data === undefined) return payload;
    return (payload as Record<string, unknown> | null | undefined)?.[data as string];
  },
};

/** Pipes are for payloads, and for what decorators of the application's own answer, which have a string for a type. */
export function isForPipes({ type }: ArgumentMetadata): boolean {
  const kind: unknown = type;
  return kind === PAYLOAD || typeof kind === 'string';
}

function undecorated(index: number): readonly [string, Parameter] {
  return index === 0
    ? [`${PAYLOAD}:0`, { index, data: undefined, pipes: [] }]
    : [`${AS_CALLED}:${index}`, { index, data: index, pipes: [] }];
}

/** What a job has not, as `@Query()` of a route that is a handler too, is what it was called with. */
function isOurs(key: string): boolean {
  return key.includes(CUSTOM_ARGUMENT) || key.startsWith(`${PAYLOAD}:`) || key.startsWith(`${AS_CALLED}:`);
}
