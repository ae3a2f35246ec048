/** What the dashboard's own pages see of an HTTP request: the same on Express and Fastify, after the guard. */
export interface DashboardRequest {
  readonly method: string;
  /** Below the mount: `/inspect/…`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface DashboardAnswer {
  readonly status: number;
  /** `Content-Type`. */
  readonly type: string;
  readonly body: string | Buffer;
}
