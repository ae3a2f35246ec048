export interface GaleraMember {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** `kill -9`. */
  kill(): Promise<void>;
  /**
   * Starts it after `kill()`, and waits until it is synced. While no other member runs it begins the cluster again with its own
   * data: after the end of all members it must be the one that was killed last.
   */
  start(): Promise<void>;
  /** Cuts it off from the other members, though not from its clients. */
  isolate(): Promise<void>;
  /** Ends `isolate()`, and waits until it is synced. */
  rejoin(): Promise<void>;
  /** Throws when it does not answer. */
  isSynced(): Promise<boolean>;
}

export interface Galera {
  readonly members: readonly GaleraMember[];
  stop(): Promise<void>;
}

/** Starts a MariaDB Galera cluster of our own, all its members synced; undefined when the programs are missing. */
export function startGalera(settings?: { members?: number; maxConnections?: number }): Promise<Galera | undefined>;
