import type { EntityManager } from 'typeorm';
import { LockRepository, type HeldLock, type LockAnswer, type LockRequest } from '../../lock/lock-repository.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import type { MemoryStore } from './memory-store.js';
import type { LockRow } from './rows.js';

export class MemoryLockRepository extends LockRepository {
  constructor(
    private readonly store: MemoryStore,
    private readonly options: ResolvedOptions,
  ) {
    super();
  }

  async take({ name, token, owner, atMost }: LockRequest): Promise<LockAnswer> {
    const { locks, now } = this.store;
    const row = locks.get(this.keyOf(name));
    const freeIn = (row?.locked_until ?? 0) - now;
    if (freeIn > 0) return { freeIn };
    const fence = (row?.fence ?? 0) + 1;
    const service = this.options.serviceName;
    locks.set(this.keyOf(name), { service, name, owner, fence, token, locked_at: now, locked_until: now + atMost });
    return { fence };
  }

  async renew(lock: HeldLock, duration: number): Promise<boolean> {
    const row = this.held(lock);
    if (row === undefined) return false;
    row.locked_until = Math.max(row.locked_until, this.store.now + duration);
    return true;
  }

  async holdIn(_manager: EntityManager, lock: HeldLock): Promise<boolean> {
    return this.held(lock) !== undefined;
  }

  async release({ name, token }: HeldLock, atLeast: number): Promise<void> {
    const row = this.store.locks.get(this.keyOf(name));
    if (row?.token !== token) return;
    row.locked_until = Math.max(row.locked_at + atLeast, this.store.now);
    row.token = '';
  }

  private held({ name, token }: HeldLock): LockRow | undefined {
    const row = this.store.locks.get(this.keyOf(name));
    return row?.token === token && row.locked_until > this.store.now ? row : undefined;
  }

  private keyOf(name: string): string {
    return `${this.options.serviceName} ${name}`;
  }
}
