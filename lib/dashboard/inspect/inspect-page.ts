import { Injectable } from '@nestjs/common';
import type { DashboardAnswer, DashboardRequest } from '../dashboard-request.js';

/** The small page beside bull-board, with its API: everything at and below `/inspect`, after the guard. */
@Injectable()
export class InspectPage {
  /** `undefined`: there is no such page. */
  handle({ path }: DashboardRequest): Promise<DashboardAnswer | undefined> {
    const body = '<!doctype html><title>Why?</title>';
    return Promise.resolve(/^\/inspect\/?$/.test(path) ? { status: 200, type: 'text/html', body } : undefined);
  }
}
