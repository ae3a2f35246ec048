import type { PipeTransform, Type } from '@nestjs/common';
import { ROUTE_ARGUMENTS } from './nest-metadata.js';
import { AS_CALLED, PAYLOAD, type Parameter } from './handler-parameters.js';

/**
 * The payload of the job, or one property of it, through these pipes. To pipes it is of the type `body`: a `ValidationPipe` checks it
 * as it checks the body of a request. What a pipe throws fails the job for good.
 *
 * @publicApi
 */
export function JobPayload(...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator;
export function JobPayload(property: string, ...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator;
export function JobPayload(...given: (string | Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  const data = given.find((each) => typeof each === 'string');
  const pipes = given.filter((each) => typeof each !== 'string');
  return describe(PAYLOAD, (index) => ({ index, data, pipes }));
}

/**
 * The `JobContext`, wherever among the parameters.
 *
 * @publicApi
 */
export function JobRef(): ParameterDecorator {
  return describe(AS_CALLED, (index) => ({ index, data: 1, pipes: [] }));
}

function describe(kind: number, parameter: (index: number) => Parameter): ParameterDecorator {
  return (target, method, index) => {
    if (method === undefined) return;
    const { constructor } = target;
    const others = Reflect.getMetadata(ROUTE_ARGUMENTS, constructor, method) as object | undefined;
    Reflect.defineMetadata(ROUTE_ARGUMENTS, { ...others, [`${kind}:${index}`]: parameter(index) }, constructor, method);
  };
}
