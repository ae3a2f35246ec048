import type { ToThread } from './heartbeat-messages.js';

/** In milliseconds. A main thread that is busy answers nothing; the next try asks again. */
const DEADLINE = 10_000;

type Answer = Extract<ToThread, { kind: 'password' }>;

interface Pending {
  readonly resolve: (password: string) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Where a thread gets a password that only a function of the main thread knows. */
export class PasswordDesk {
  private readonly pending = new Map<number, Pending>();
  private requests = 0;

  constructor(private readonly send: (request: number) => void) {}

  ask(): Promise<string> {
    const request = ++this.requests;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.answer({ kind: 'password', request, error: LATE }), DEADLINE);
      this.pending.set(request, { resolve, reject, timer });
      this.send(request);
    });
  }

  answer({ request, password, error }: Answer): void {
    const pending = this.pending.get(request);
    this.pending.delete(request);
    clearTimeout(pending?.timer);
    if (password === undefined) pending?.reject(new Error(`No password for the heartbeat's connection: ${error}`));
    else pending?.resolve(password);
  }
}

const LATE = `the main thread has not answered within ${DEADLINE} ms`;
