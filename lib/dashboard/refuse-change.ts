import { ForbiddenException } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';

const SAFE = new Set(['GET', 'HEAD']);

/**
 * Throws unless the request may change something. Browsers send the cookies of whoever is logged in with the requests of any page; what they
 * say about that page cannot be forged by it.
 */
export function refuseChange({ method = '', headers }: IncomingMessage, readOnly: boolean): void {
  if (SAFE.has(method)) return;
  if (!isOurs(headers)) {
    throw new ForbiddenException(
      'This request comes from another site (see its Sec-Fetch-Site, Origin and Host headers). Behind a proxy, hand the Host header on.',
    );
  }
  if (readOnly) {
    throw new ForbiddenException(
      'The dashboard is read-only: PersistentQueueDashboardModule.forRoot({ readOnly: false }) allows changes.',
    );
  }
}

/** What is no browser sends neither of the two headers, and no cookies of anybody. */
function isOurs({ 'sec-fetch-site': site, origin, host }: IncomingMessage['headers']): boolean {
  if (site !== undefined) return site === 'same-origin';
  return origin === undefined || hostOf(origin) === host?.toLowerCase();
}

/** `undefined` for the origin `null`, of sandboxed pages and redirects. */
function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
