/** Beside this file, wherever the dashboard is mounted, and whatever a proxy has cut off the front. */
const API = new URL('../api/', import.meta.url);
const BOARD = new URL('../../', import.meta.url);

export function get(...path) {
  return ask(path, { method: 'GET' });
}

export function post(...path) {
  return ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
}

export function find(query) {
  return ask([`jobs?${new URLSearchParams(query)}`], { method: 'GET' }, (part) => part);
}

/** Where bull-board shows a job. */
export function onBoard(type, id) {
  return `${BOARD}queue/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
}

export function whyPage(id) {
  return `?${new URLSearchParams({ job: id })}`;
}

async function ask(path, request, encode = encodeURIComponent) {
  const response = await fetch(new URL(path.map(encode).join('/'), API), request);
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isJson ? await response.json() : undefined;
  if (response.ok) return body;
  throw new Error(body?.message ?? `The server answered ${response.status} ${response.statusText}.`);
}
