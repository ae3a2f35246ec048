import { LockService } from './lock-service.js';

/** The injection token of a module's `LockService`: the class itself, or a string for a module with a `name`. */
export function lockServiceToken(name?: string): typeof LockService | string {
  return name === undefined ? LockService : `LockService:${name}`;
}
