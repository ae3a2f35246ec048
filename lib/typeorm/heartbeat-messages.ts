import type { PlainOptions } from './plain-options.js';
import type { PoolSettings } from './server-options.js';

/** What the heartbeat's thread is started with. Times are milliseconds. */
export interface HeartbeatSettings extends PlainOptions {
  readonly pool: PoolSettings;
  readonly tablePrefix: string;
  readonly memory: SharedArrayBuffer;
  readonly gap: number;
  readonly lease: number;
  readonly beat: number;
  /** How old the last beat is when the thread beats. */
  readonly patience: number;
  readonly hungAfter: number;
}

/** From the thread. `lost`: a beat has found no living node. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'retried'; readonly error: string; readonly tries: number; readonly wait: number }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'password'; readonly request: number };

/** To the thread. */
export type ToThread =
  | { readonly kind: 'stop' }
  | { readonly kind: 'password'; readonly request: number; readonly password?: string; readonly error?: string };
