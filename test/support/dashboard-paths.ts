import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { appRoutes } from '@bull-board/api/dist/routes.js';

export interface BoardPath {
  /** As HTTP has it. */
  readonly method: string;
  readonly path: string;
}

const UI = join(dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json')), 'dist');

/** Every route of bull-board's API, about one job and one schedule. */
export function boardApi(type: string, job: string, schedule: string): BoardPath[] {
  const values: Record<string, string> = {
    queueName: type,
    jobId: job,
    schedulerId: schedule,
    queueStatus: 'failed',
  };
  return appRoutes.api.flatMap(({ method, route }) =>
    [method].flat().flatMap((one) =>
      [route].flat().map((path) => ({
        method: one.toUpperCase(),
        path: path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? name)),
      })),
    ),
  );
}

/** Every file that the page may ask for. */
export function boardAssets(): BoardPath[] {
  return readdirSync(join(UI, 'static'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.\w+$/.test(name))
    .map((name) => ({ method: 'GET', path: `/static/${name}` }));
}

/** What the page itself names in `src` and `href`. */
export function linksIn(page: string): string[] {
  return [...page.matchAll(/<(?:script|link)\b[^>]*\b(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
}

export function uiTemplate(): string {
  return readFileSync(join(UI, 'index.ejs'), 'utf8');
}
