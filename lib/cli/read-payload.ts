import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from '../errors/usage.error.js';
import type { JobRequest } from '../queue/enqueue-options.js';
import { messageOf } from '../support/message-of.js';
import { TIME_CURE, timeOf } from './values.js';

/** JSON text: of the argument, of stdin or of the file; `null` when none is given. */
export async function readPayload(argument: string | undefined, file: string | undefined): Promise<string> {
  if (file !== undefined) return readText(file);
  return argument === '-' ? text(process.stdin) : (argument ?? 'null');
}

/** Without the text itself, which may be secret: only where it goes wrong. */
export function readJsonOf(what: string, json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    const position = /position (\d+)/.exec(messageOf(error))?.[1] ?? json.length;
    const cure = `Correct it from character ${Number(position) + 1} on; a string has double quotes, inside of the shell's: '"text"'.`;
    throw new UsageError(`${what} is no JSON`, `${json.length} characters`, cure);
  }
}

/** One job for each line; empty lines are none. What may be in one is checked by the queue. */
export async function readLines(path: string): Promise<JobRequest[]> {
  const lines = (path === '-' ? await text(process.stdin) : await readText(path)).split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [readRequest(line, index + 1)]));
}

function readRequest(line: string, number: number): JobRequest {
  const value = readJsonOf(`Line ${number}`, line);
  if (typeof value !== 'object' || value === null || !('payload' in value)) {
    const cure = 'Write an object with a payload in each line: {"payload": {"orderId": 1}, "key": "order-1"}.';
    throw new UsageError(`Line ${number} has no payload`, `${line.length} characters`, cure);
  }
  const { at, deadline, ...request }: { payload: unknown; at?: unknown; deadline?: unknown } = value;
  return {
    ...request,
    ...(at === undefined ? {} : { at: readDate(at, `Line ${number}: at`) }),
    ...(deadline === undefined ? {} : { deadline: readDate(deadline, `Line ${number}: deadline`) }),
  };
}

function readDate(value: unknown, what: string): Date {
  const time = typeof value === 'string' ? timeOf(value) : undefined;
  if (time !== undefined) return time;
  throw new UsageError(`${what} is no time`, value, TIME_CURE);
}

async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`The file cannot be read: ${messageOf(error)}`, path, 'Give the path of a text file.', {
      cause: error,
    });
  }
}
