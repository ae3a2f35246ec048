import type { DashboardRequest } from '../dashboard-request.js';
import type { InspectApi } from './inspect-api.js';

/** What answers a path below `/inspect/api/`. */
export interface InspectRoute {
  readonly method: 'GET' | 'POST';
  readonly answer: (api: InspectApi, request: DashboardRequest) => Promise<object> | object;
}

type Names = readonly string[];
type Answer = (api: InspectApi, names: Names, request: DashboardRequest) => Promise<object> | object;

/** The name of a type may have any character, a slash too, which some proxies decode on their way. */
const ROUTES: readonly (readonly [method: InspectRoute['method'], path: RegExp, answer: Answer])[] = [
  ['GET', /^settings$/, (api) => api.settings()],
  ['GET', /^jobs$/, (api, _, { query }) => api.find(query)],
  ['GET', /^jobs\/([^/]+)$/, (api, [id = '']) => api.job(id)],
  ['GET', /^nodes$/, (api) => api.nodes()],
  ['GET', /^locks$/, (api) => api.locks()],
  ['GET', /^due$/, (api) => api.due()],
  ['GET', /^types$/, (api) => api.types()],
  ['GET', /^schedules$/, (api) => api.schedules()],
  ['POST', /^jobs\/([^/]+)\/retry$/, (api, [id = '']) => api.change(id, 'retry')],
  ['POST', /^jobs\/([^/]+)\/cancel$/, (api, [id = '']) => api.change(id, 'cancel')],
  ['POST', /^jobs\/([^/]+)\/run-now$/, (api, [id = '']) => api.change(id, 'run-now')],
  ['POST', /^types\/(.+)\/pause$/, (api, [type = '']) => api.changeType(type, 'pause')],
  ['POST', /^types\/(.+)\/resume$/, (api, [type = '']) => api.changeType(type, 'resume')],
];

/** `path`: as it was sent, encoded. `undefined`: there is nothing. Throws `URIError` where it cannot be decoded. */
export function routeOf(path: string): InspectRoute | undefined {
  for (const [method, pattern, answer] of ROUTES) {
    const names = pattern.exec(path)?.slice(1).map(decodeURIComponent);
    if (names !== undefined) return { method, answer: (api, request) => answer(api, names, request) };
  }
  return undefined;
}
