import type { ServerResponse } from 'node:http';
import type { DashboardAnswer } from './dashboard-request.js';

/** Node answers a HEAD request without the body, of its own accord. */
export function send(response: ServerResponse, { status, type, body }: DashboardAnswer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) });
}
