import {
  All,
  Controller,
  Inject,
  NotFoundException,
  NotImplementedException,
  Req,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Board } from './board/board.js';
import type { DashboardOptions } from './dashboard-options.js';
import { InspectPage } from './inspect/inspect-page.js';
import { mountOf, type Mount, type AnyRequest } from './mount.js';
import { refuseChange } from './refuse-change.js';
import { SecurityHeaders } from './security-headers.js';
import { send } from './send.js';

/** Express's response is that of Node; Fastify's has it. */
type MountedReply =
  ServerResponse | { readonly raw: ServerResponse; hijack(): unknown; getHeaders(): OutgoingHttpHeaders };

const HTTP_2 =
  'The dashboard is an Express application, which speaks HTTP/1.1: give Fastify `allowHTTP1`, or ask through a proxy that does.';

/**
 * A controller like the application's own, made for one path: bull-board is an Express application, and as middleware no guard would see it. This way Nest's
 * own guards, those of the application too, stand before the page, its assets and its API alike.
 */
export function dashboardController({ path, guard, decorators, readOnly }: DashboardOptions): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class DashboardController {
    constructor(
      @Inject(Board) private readonly board: Board,
      @Inject(InspectPage) private readonly inspect: InspectPage,
    ) {}

    async answer(@Req() request: AnyRequest, @Res() reply: MountedReply): Promise<void> {
      const raw = request.raw ?? request;
      if (raw.httpVersionMajor > 1) throw new NotImplementedException(HTTP_2);
      refuseChange(raw, readOnly);
      const mount = mountOf(request);
      if (/^\/inspect(\/|$)/.test(mount.path)) {
        const answer = await this.ask(raw, mount);
        if (answer === undefined) throw new NotFoundException(`There is no ${mount.path} on the dashboard.`);
        send(takeOver(reply), answer);
        return;
      }
      await this.board.answer(raw, takeOver(reply), mount, request.body);
    }

    private ask({ method = 'GET' }: IncomingMessage, { path: below, search }: Mount) {
      return this.inspect.handle({ method, path: below, query: new URLSearchParams(search) });
    }
  }
  UseGuards(new SecurityHeaders(), ...(guard === undefined ? [] : [guard]))(DashboardController);
  for (const each of decorators) each(DashboardController);
  return DashboardController;
}

/** Everything at its path and below. The routers of Express and Fastify have no way to write "everything" in common, so that this has to wait. */
export function routeAll(controller: Type, adapter: AbstractHttpAdapter): void {
  const prototype = controller.prototype as object;
  const answer = Object.getOwnPropertyDescriptor(prototype, 'answer') as PropertyDescriptor;
  All(['', adapter.getType() === 'fastify' ? '*' : '*path'])(prototype, 'answer', answer);
}

/** Fastify leaves the response to us from here on; what guards and plugins have put on its own goes along. */
function takeOver(reply: MountedReply): ServerResponse {
  if (!('hijack' in reply)) return reply;
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined && !raw.hasHeader(name)) raw.setHeader(name, value);
  }
  reply.hijack();
  return raw;
}
