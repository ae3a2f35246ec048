import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The one style that bull-board's components (base-ui) put into the page themselves: it hides a scroll bar of theirs. */
const SCROLL_BAR =
  '.base-ui-disable-scrollbar{scrollbar-width:none}.base-ui-disable-scrollbar::-webkit-scrollbar{display:none}';

/** Nothing but our own files runs, and no other page may frame it or be sent a form. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' 'sha256-${createHash('sha256').update(SCROLL_BAR).digest('base64')}'`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // What a job carries belongs into no cache; assets say otherwise themselves.
  'Cache-Control': 'no-store',
};

/** A guard only because guards are asked in their order: what the next one refuses carries the headers too. */
export class SecurityHeaders implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const response = context.switchToHttp().getResponse<ServerResponse | { raw: ServerResponse }>();
    const raw = 'raw' in response ? response.raw : response;
    for (const [name, value] of Object.entries(HEADERS)) raw.setHeader(name, value);
    return true;
  }
}
