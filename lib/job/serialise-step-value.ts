import { describeShape } from '../errors/describe-value.js';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { messageOf } from '../support/message-of.js';
import { serialiseJson } from '../support/serialise-json.js';

/** JSON text of a result or a context; `undefined` for nothing. @throws InvalidStepError for what cannot be saved. */
export function serialiseStepValue(
  step: string,
  part: 'result' | 'context',
  value: unknown,
  maxBytes: number,
): string | undefined {
  if (value === undefined) return undefined;
  const json = jsonOf(step, part, value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  const cure = `At most ${maxBytes} are saved: store the data yourself and keep its id, or raise forRoot({ maxPayloadBytes }).`;
  throw new InvalidStepError(step, `${bytes} bytes of JSON`, `has a ${part} that is too large`, cure);
}

function jsonOf(step: string, part: string, value: unknown): string {
  try {
    return serialiseJson(value);
  } catch (cause) {
    const cure = `JSON cannot carry it: ${messageOf(cause)}. Keep plain data in it.`;
    throw new InvalidStepError(step, describeShape(value), `has a ${part} that cannot be saved`, cure, { cause });
  }
}
