import { Injectable } from '@nestjs/common';
import { JobSchedule, type JobContext } from 'nestjs-persistent-queue';

/** What a process tells the one that started it. */
export type Report = { ready: true } | { what: 'fired' | 'ran'; key: string };

export const tell = (report: Report): void => void process.send?.(report);

@Injectable()
export class ClockJobs {
  /** The same code runs in every process, and each second still comes once: `@Cron` would run it in all of them. */
  @JobSchedule('@every 1s', { name: 'tick', misfire: 'all' })
  tick(_: unknown, job: JobContext): void {
    // The key names the fire time, however late the job runs.
    tell({ what: 'ran', key: String(job.key) });
  }
}
