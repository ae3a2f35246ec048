import { ExpressAdapter } from '@bull-board/express';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardRequest,
  ControllerHandlerReturnType,
} from '@bull-board/api/typings/app';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FAILED, logFailure } from '../log-failure.js';
import { JobTypeAdapter } from './job-type.adapter.js';
import { statusOf } from './status-of.js';

type Handler = (request: BullBoardRequest) => Promise<ControllerHandlerReturnType> | ControllerHandlerReturnType;
type Answer = ControllerHandlerReturnType;

/** What bull-board's own handlers would do job by job, or ask of an adapter that is really BullMQ's. */
const OWN_ROUTES: Readonly<Record<string, Handler>> = {
  '/api/queues/:queueName/retry/:queueStatus': retryAll,
  '/api/queues/:queueName/:jobId/flow': ({ params }) => ({
    body: { nodeId: params.jobId as string, isFlowNode: false, flowRoot: null },
  }),
};

/** bull-board's server, with answers for our errors and a page that asks no other site for anything. */
export class BoardServer extends ExpressAdapter {
  constructor() {
    super();
    this.app.disable('x-powered-by');
  }

  /** `next`: there is no such page, or it has failed. */
  handle(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void {
    const app = this.getRouter() as (...args: [IncomingMessage, ServerResponse, (error?: unknown) => void]) => void;
    app(request, response, next);
  }

  override setApiRoutes(routes: AppControllerRoute[]): ExpressAdapter {
    return super.setApiRoutes(routes.map(withOwnHandler));
  }

  override setErrorHandler(handler: (error: Error) => Answer): this {
    return super.setErrorHandler((error) => handler(this.forWhoeverAsked(error)));
  }

  /** Mounted wherever the request has come in, which is `baseUrl` for Express. */
  override setEntryRoute(view: AppViewRoute): ExpressAdapter {
    this.app[view.method as 'get'](view.route, (request, response, next) => {
      const { name, params } = view.handler({ basePath: request.baseUrl, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, page?: string) => {
        if (error === null && page !== undefined) response.type('html').send(withoutStrangers(page));
        else next(error);
      });
    });
    return this;
  }

  private forWhoeverAsked(error: Error): Error {
    const statusCode = statusOf(error);
    if (statusCode !== undefined) return Object.assign(new Error(error.message), { statusCode });
    logFailure(error);
    return new Error(FAILED);
  }
}

function withOwnHandler(route: AppControllerRoute): AppControllerRoute {
  const handler = OWN_ROUTES[String(route.route)];
  return handler === undefined ? route : { ...route, handler: (request) => handler(request as BullBoardRequest) };
}

/** Of failed jobs only: bull-board would retry them one by one, and as many as it has counted. */
async function retryAll({ queues, params }: BullBoardRequest): Promise<Answer> {
  const adapter = queues.get(params.queueName as string);
  if (!(adapter instanceof JobTypeAdapter)) return { status: 404, body: { error: { key: 'ERRORS.QUEUE_NOT_FOUND' } } };
  const status = params.queueStatus as string;
  if (status !== 'failed')
    return { status: 400, body: { error: { key: 'ERRORS.STATUS_NOT_RETRIABLE', options: { status } } } };
  return { body: { retried: await adapter.retryAll(), skipped: 0 } };
}

/** Fonts of another site, and a style of the page itself for the moment of loading: the policy forbids both, and browsers would complain. */
function withoutStrangers(page: string): string {
  return page
    .replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>\s*/g, '')
    .replaceAll(/<style>.*?<\/style>\s*/gs, '')
    .replaceAll(/(<\w[^>]*?)\sstyle="[^"]*"/g, '$1');
}
