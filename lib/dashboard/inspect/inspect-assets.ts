import { readFileSync } from 'node:fs';
import type { DashboardAnswer } from '../dashboard-request.js';

const FOLDER = new URL('./assets/', import.meta.url);
const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' };
/** Listed, so that no request can name another file. */
const NAMES = ['inspect.css', 'inspect.js', 'api.js', 'elements.js', 'job.js', 'service.js', 'steps.js'] as const;

/** The files of the page, read once. */
export class InspectAssets {
  private readonly page = read('inspect.html');
  private readonly files = new Map<string, string>(NAMES.map((name) => [name, read(name)]));

  /** Every address in it is relative: a proxy may have cut a prefix off the front of what arrives here. `here`: the way to `…/inspect/`. */
  html(here: string): DashboardAnswer {
    const board = here === '' ? '../' : './';
    return {
      status: 200,
      type: 'text/html; charset=utf-8',
      body: this.page.replaceAll('{{here}}', here).replaceAll('{{board}}', board),
    };
  }

  get(name: string): DashboardAnswer | undefined {
    const body = this.files.get(name);
    return body === undefined ? undefined : { status: 200, type: name.endsWith('.css') ? TYPES.css : TYPES.js, body };
  }
}

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}
