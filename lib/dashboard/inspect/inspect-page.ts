import { Injectable } from '@nestjs/common';
import { QueueInspector } from '../../inspection/queue-inspector.js';
import { JobQueue } from '../../queue/job-queue.js';
import { Schedules } from '../../schedule/schedules.js';
import { BoardFacts } from '../board/board-facts.js';
import { statusOf } from '../board/status-of.js';
import { DashboardOptions } from '../dashboard-options.js';
import { DashboardReads } from '../dashboard-reads.js';
import type { DashboardAnswer, DashboardRequest } from '../dashboard-request.js';
import { FAILED, logFailure } from '../log-failure.js';
import { PayloadView } from '../payload-view.js';
import { InspectApi } from './inspect-api.js';
import { InspectAssets } from './inspect-assets.js';
import { routeOf } from './inspect-routes.js';
import { JobView } from './job-view.js';

/** The small page beside bull-board, with its API: everything at and below `/inspect`, after the guard. */
@Injectable()
export class InspectPage {
  private readonly assets = new InspectAssets();
  private readonly api: InspectApi;

  constructor(
    queue: JobQueue,
    inspector: QueueInspector,
    schedules: Schedules,
    facts: BoardFacts,
    reads: DashboardReads,
    payloads: PayloadView,
    { readOnly }: DashboardOptions,
  ) {
    this.api = new InspectApi(queue, inspector, schedules, facts, reads, new JobView(payloads), readOnly);
  }

  /** `undefined`: there is no such page. */
  async handle(request: DashboardRequest): Promise<DashboardAnswer | undefined> {
    const { path } = request;
    if (path === '/inspect') return this.assets.html('inspect/');
    if (path === '/inspect/') return this.assets.html('');
    const asset = /^\/inspect\/assets\/([^/]+)$/.exec(path)?.[1];
    if (asset !== undefined) return this.assets.get(asset);
    return path.startsWith('/inspect/api/') ? this.ask(path.slice('/inspect/api/'.length), request) : undefined;
  }

  private async ask(path: string, request: DashboardRequest): Promise<DashboardAnswer | undefined> {
    try {
      const route = routeOf(path);
      if (route === undefined) return undefined;
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      if (method !== route.method) return refusal(405, 'MethodNotAllowed', `Send a ${route.method} request.`);
      return json(200, { now: new Date(), ...(await route.answer(this.api, request)) });
    } catch (error) {
      return answerTo(error);
    }
  }
}

/** Whatever is not the fault of who asks is for those who look after the application. */
function answerTo(error: unknown): DashboardAnswer {
  const status = statusOf(error);
  if (status !== undefined) return refusal(status, (error as Error).name, (error as Error).message);
  logFailure(error);
  return refusal(500, 'InternalServerError', FAILED);
}

function refusal(status: number, error: string, message: string): DashboardAnswer {
  return json(status, { error, message });
}

function json(status: number, body: object): DashboardAnswer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
