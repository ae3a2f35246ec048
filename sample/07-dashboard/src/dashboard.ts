import { login } from './staff.guard.js';

/** What the page shows of one job, as far as it is printed here. */
export interface JobSheet {
  readonly job: { readonly id: string; readonly type: string; readonly state: string; readonly payload: unknown };
  readonly reasons: readonly { readonly reason: string; readonly sentence: string; readonly advice: string }[];
  readonly steps: { readonly steps: readonly { readonly name: string; readonly state: string }[] };
  readonly attempts: readonly { readonly outcome: string; readonly error?: { readonly message: string } }[];
}

export interface TypeRow {
  readonly type: string;
  readonly paused: boolean;
  readonly unhandled: boolean;
  readonly running: number;
  readonly concurrency: number;
}

/** The API of the dashboard's own page, as a browser that is logged in asks it. */
export class Dashboard {
  constructor(private readonly url: string) {}

  async job(id: string): Promise<JobSheet> {
    return (await this.get(`jobs/${id}`)) as JobSheet;
  }

  async types(): Promise<TypeRow[]> {
    return ((await this.get('types')) as { types: TypeRow[] }).types;
  }

  post(path: string): Promise<number> {
    return this.status(path, { method: 'POST', headers: { authorization: login() } });
  }

  /** Somebody who is not logged in. */
  asStranger(): Promise<number> {
    return this.status('types', {});
  }

  /** A page of another site, which the browser of somebody who is logged in has opened. */
  forged(path: string): Promise<number> {
    const headers = { authorization: login(), origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' };
    return this.status(path, { method: 'POST', headers });
  }

  private async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}/inspect/api/${path}`, { headers: { authorization: login() } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  private async status(path: string, request: RequestInit): Promise<number> {
    const response = await fetch(`${this.url}/inspect/api/${path}`, request);
    await response.body?.cancel();
    return response.status;
  }
}
