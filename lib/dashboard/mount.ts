import type { IncomingMessage } from 'node:http';

/** What Express and Fastify have in common, as far as it is needed here. */
export interface MountedRequest {
  readonly url: string;
  /** Express. */
  readonly route?: { readonly path: string };
  /** Express: where this application is mounted in another one. */
  readonly baseUrl?: string;
  /** Fastify. */
  readonly routeOptions?: { readonly url?: string };
  readonly body?: unknown;
}

/** Express's is the request of Node itself, Fastify's has it. */
export type AnyRequest =
  | (IncomingMessage & MountedRequest & { readonly raw?: undefined })
  | (MountedRequest & { readonly raw: IncomingMessage });

export interface Mount {
  /** Without a slash at its end. */
  readonly base: string;
  /** Below it, with a slash at its beginning, as it was sent: encoded. */
  readonly path: string;
  /** With its question mark, or ''. */
  readonly search: string;
}

/**
 * Where the dashboard is in the address that was asked for. The route that matched tells how many segments lead to it: a global prefix, its
 * parameters, exceptions from it and modules with a path of their own are in there, whatever the application has configured.
 */
export function mountOf(request: MountedRequest): Mount {
  const outer = request.baseUrl ?? '';
  const [pathname = '', ...query] = request.url.split('?');
  const depth = segmentsOf(request.route?.path ?? request.routeOptions?.url ?? '');
  const segments = pathname.replace(/^\/+/, '').split('/');
  return {
    base: [outer, ...segments.slice(0, depth)].join('/'),
    path: `/${segments.slice(depth).join('/')}`,
    search: query.length === 0 ? '' : `?${query.join('?')}`,
  };
}

/** Of a route, without the wildcard at its end. */
function segmentsOf(route: string): number {
  return route.split('/').filter((segment) => segment !== '' && !/^[{*]/.test(segment)).length;
}
