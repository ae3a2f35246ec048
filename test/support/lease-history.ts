/** What triggers, handlers and the test have written down, in its order. */
export interface LeaseEntry {
  readonly what: 'added' | 'taken' | 'freed' | 'begun' | 'ended' | 'killed' | 'ready';
  readonly job: number;
  readonly fence: number;
  readonly tenant: string;
  /** Of the job, after the change. */
  readonly state: string;
  readonly pid: number;
  /** By the database's clock, in milliseconds. */
  readonly at: number;
}

/** What has been seen of one tenant. */
export class TenantHistory {
  mostLeases = 0;
  /** In processes that were alive. */
  mostHandlers = 0;
  /** Handlers that have begun without a lease of theirs. */
  unfounded = 0;
  taken = 0;
  /** The longest time, in milliseconds, that no job was taken while some waited. */
  longestWait = 0;
  /** The same while a slot was free too. */
  longestIdle = 0;
  private readonly leases = new Set<string>();
  private readonly handlers = new Map<string, number>();
  private waiting = 0;
  private waitingSince: number | undefined;
  private idleSince: number | undefined;

  constructor(private readonly limit: number) {}

  get hasWaiting(): boolean {
    return this.waiting > 0;
  }

  note(entry: LeaseEntry): void {
    const lease = `${entry.job}:${entry.fence}`;
    switch (entry.what) {
      case 'added':
        this.waiting++;
        break;
      case 'taken':
        this.take(lease, entry.at);
        break;
      case 'freed':
        this.leases.delete(lease);
        if (entry.state === 'waiting' || entry.state === 'scheduled') this.waiting++;
        break;
      case 'begun':
        if (!this.leases.has(lease)) this.unfounded++;
        this.handlers.set(lease, entry.pid);
        this.mostHandlers = Math.max(this.mostHandlers, this.handlers.size);
        break;
      case 'ended':
        this.handlers.delete(lease);
        break;
      case 'ready':
        // Before that nobody was there to take any.
        [this.longestWait, this.longestIdle] = [0, 0];
        [this.waitingSince, this.idleSince] = [undefined, undefined];
        break;
      case 'killed':
        for (const [of, pid] of this.handlers) if (pid === entry.pid) this.handlers.delete(of);
    }
    this.measure(entry.at);
  }

  private take(lease: string, at: number): void {
    this.taken++;
    this.waiting--;
    this.leases.add(lease);
    this.mostLeases = Math.max(this.mostLeases, this.leases.size);
    this.measure(at);
    [this.waitingSince, this.idleSince] = [undefined, undefined];
  }

  private measure(at: number): void {
    if (this.waitingSince !== undefined) this.longestWait = Math.max(this.longestWait, at - this.waitingSince);
    if (this.idleSince !== undefined) this.longestIdle = Math.max(this.longestIdle, at - this.idleSince);
    this.waitingSince = this.hasWaiting ? (this.waitingSince ?? at) : undefined;
    this.idleSince = this.hasWaiting && this.leases.size < this.limit ? (this.idleSince ?? at) : undefined;
  }
}

export interface LeaseHistory {
  readonly tenants: readonly TenantHistory[];
  /** Of each tenant, jobs taken while every one of them had waiting ones. */
  readonly shares: readonly number[];
}

/** What has happened, judged by nothing but the entries. */
export function readHistory(entries: readonly LeaseEntry[], limit: number): LeaseHistory {
  const tenants = new Map<string, TenantHistory>();
  const shares = new Map<string, number>();
  for (const { tenant } of entries) if (tenant !== '') tenants.set(tenant, new TenantHistory(limit));
  for (const name of tenants.keys()) shares.set(name, 0);
  for (const entry of entries) {
    const own = tenants.get(entry.tenant);
    const isFought = entry.what === 'taken' && [...tenants.values()].every(({ hasWaiting }) => hasWaiting);
    if (isFought) shares.set(entry.tenant, (shares.get(entry.tenant) ?? 0) + 1);
    for (const tenant of own === undefined ? tenants.values() : [own]) tenant.note(entry);
  }
  return { tenants: [...tenants.values()], shares: [...shares.values()] };
}
