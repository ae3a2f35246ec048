import { Inject, Module, type DynamicModule, type NestModule, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { scopedTokens } from '../persistent-queue.module.js';
import { scopeProviders } from '../scope-providers.js';
import { Board } from './board/board.js';
import { BoardFacts } from './board/board-facts.js';
import { BoardJobActions } from './board/board-job-actions.js';
import { BoardQueue } from './board/board-queue.js';
import { BoardSchedules } from './board/board-schedules.js';
import { JobPages } from './board/job-pages.js';
import { dashboardController, routeAll } from './dashboard.controller.js';
import { DashboardOptions, type PersistentQueueDashboardOptions } from './dashboard-options.js';
import { DashboardReads } from './dashboard-reads.js';
import { InspectPage } from './inspect/inspect-page.js';
import { PayloadView } from './payload-view.js';
import { readDashboardOptions } from './read-dashboard-options.js';
import { takePath } from './taken-paths.js';

const CONTROLLER = Symbol('PersistentQueueDashboardController');

const PROVIDERS: Type<object>[] = [
  DashboardReads,
  PayloadView,
  InspectPage,
  JobPages,
  BoardFacts,
  BoardJobActions,
  BoardSchedules,
  BoardQueue,
  Board,
];

/**
 * A page with the job types, their jobs, schedules and workers (bull-board), and one that says why a job is not running, below
 * `path` of the application. Import it beside `PersistentQueueModule`.
 *
 * @publicApi
 */
@Module({})
export class PersistentQueueDashboardModule implements NestModule {
  constructor(
    @Inject(CONTROLLER) private readonly controller: Type,
    private readonly options: DashboardOptions,
    private readonly host: HttpAdapterHost,
  ) {}

  /** @throws InvalidOptionError, UnknownOptionError for options that cannot be used; also without a guard, unless it is said to be `open`. */
  static forRoot(options: PersistentQueueDashboardOptions): DynamicModule {
    const resolved = readDashboardOptions(options);
    const controller = dashboardController(resolved);
    const tokens = resolved.queue === undefined ? new Map() : scopedTokens(resolved.queue);
    return {
      module: PersistentQueueDashboardModule,
      imports: [...(options.imports ?? [])],
      controllers: [controller],
      providers: [
        { provide: DashboardOptions, useValue: resolved },
        { provide: CONTROLLER, useValue: controller },
        ...scopeProviders(PROVIDERS, tokens),
      ],
    };
  }

  /** For middleware; it is also the last that Nest calls before it looks for routes. */
  configure(): void {
    takePath(this.host.httpAdapter, this.options.path);
    routeAll(this.controller, this.host.httpAdapter);
  }
}
