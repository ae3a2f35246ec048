import { createBullBoard } from '@bull-board/api';
import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DashboardOptions } from '../dashboard-options.js';
import { FAILED, logFailure } from '../log-failure.js';
import type { Mount } from '../mount.js';
import { sendJson } from '../send.js';
import { BoardFacts } from './board-facts.js';
import { BoardQueue } from './board-queue.js';
import { BoardServer } from './board-server.js';
import { JobTypeAdapter } from './job-type.adapter.js';
import { statusOf } from './status-of.js';

const UI = {
  boardTitle: 'Job queues',
  // Of Redis or PostgreSQL, and of BullMQ: neither is here.
  hideRedisDetails: true,
  showMetrics: false,
  hideDocsLink: true,
  miscLinks: [{ text: 'Why is a job not running?', url: 'inspect/' }],
};

/** bull-board, with our job types as its queues. */
@Injectable()
export class Board {
  private readonly server = new BoardServer();
  private readonly board = createBullBoard({ queues: [], serverAdapter: this.server, options: { uiConfig: UI } });
  private adapters: ReadonlyMap<string, JobTypeAdapter> = new Map();

  constructor(
    private readonly options: DashboardOptions,
    private readonly facts: BoardFacts,
    private readonly queue: BoardQueue,
  ) {}

  /** Resolves when the answer has been sent, or its reader is gone. */
  async answer(request: IncomingMessage, response: ServerResponse, mount: Mount, body: unknown): Promise<void> {
    // Its server would send whoever asks for a folder on, with a policy of its own.
    if (/^\/static(?!\/.+\.\w+$)/i.test(mount.path)) return this.refuse(mount, response);
    try {
      if (mount.path.startsWith('/api/')) await this.refresh();
      await this.pass(request, response, mount, body);
    } catch (error) {
      this.refuse(mount, response, error);
    }
  }

  /** A request to the API sees the job types of this moment: see `SharedAnswer` for how old that may be. */
  private async refresh(): Promise<void> {
    const types = await this.facts.types();
    this.adapters = new Map(types.map((type) => [type, this.adapters.get(type) ?? this.adapterOf(type)]));
    this.board.replaceQueues([...this.adapters.values()]);
  }

  private pass(request: IncomingMessage, response: ServerResponse, mount: Mount, body: unknown): Promise<void> {
    // Whoever has left meanwhile will not leave again: there would be no `close` to wait for.
    if (response.destroyed) return Promise.resolve();
    const arrived = { url: request.url, baseUrl: Reflect.get(request, 'baseUrl') as unknown };
    // Their names carry a hash, but who may see them is asked again each time.
    if (mount.path.startsWith('/static/')) response.setHeader('Cache-Control', 'private, no-cache');
    return new Promise((resolve) => {
      response.once('close', () => {
        Object.assign(request, arrived);
        resolve();
      });
      // What the application's parser has read is gone from the stream.
      Object.assign(
        request,
        { url: `${mount.path}${mount.search}`, baseUrl: mount.base },
        body === undefined ? {} : { body },
      );
      this.server.handle(request, response, (error) => this.refuse(mount, response, error));
    });
  }

  private refuse({ path }: Mount, response: ServerResponse, error?: unknown): void {
    const status = error === undefined || error === null ? 404 : statusOf(error);
    if (status === undefined) logFailure(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const message = status === 404 ? `There is no ${path} on the dashboard.` : FAILED;
    sendJson(response, status ?? 500, { statusCode: status ?? 500, message });
  }

  private adapterOf(type: string): JobTypeAdapter {
    return new JobTypeAdapter(type, this.queue, this.options.readOnly);
  }
}
