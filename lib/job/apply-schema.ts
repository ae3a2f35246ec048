import { InvalidPayloadError } from '../errors/invalid-payload.error.js';
import type { SchemaResult, StandardSchema } from './standard-schema.js';

/** Where a payload is looked at: for the error. */
export interface PayloadPlace {
  readonly type: string;
  readonly at: InvalidPayloadError['at'];
  /** Of `enqueueMany()`. */
  readonly index?: number | undefined;
}

/** What the schema makes of the payload: at once, unless the schema itself takes its time. Throws `InvalidPayloadError`. */
export function applySchema(schema: StandardSchema, payload: unknown, place: PayloadPlace): unknown {
  const result = schema['~standard'].validate(payload);
  return 'then' in result
    ? Promise.resolve(result).then((settled) => outputOf(settled, place))
    : outputOf(result, place);
}

function outputOf(result: SchemaResult<unknown>, { type, at, index }: PayloadPlace): unknown {
  if (result.issues) throw new InvalidPayloadError(type, result.issues, at, index);
  return result.value;
}
