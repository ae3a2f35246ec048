import { hostname } from 'node:os';

/** For people: `host:pid`. */
export function processName(): string {
  return `${hostname().slice(0, 200)}:${process.pid}`;
}
