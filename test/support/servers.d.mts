export interface ServerSettings {
  durable?: boolean;
  tls?: boolean;
  maxConnections?: number;
  walLevel?: string;
}

export interface Server {
  url: string;
  /** How a client trusts it, for servers with `tls`. */
  ssl: { ca: string } | undefined;
  stop(): Promise<void>;
  /** `kill -9`. */
  crash(): Promise<void>;
  /** After `crash()`, on the same data. */
  restart(): Promise<void>;
}

export function startMariaDb(settings?: ServerSettings): Promise<Server | undefined>;
export function startPostgres(settings?: ServerSettings): Promise<Server | undefined>;
export function startMySql(settings?: Pick<ServerSettings, 'durable'>): Promise<Server | undefined>;
