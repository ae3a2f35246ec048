import { Injectable } from '@nestjs/common';
import { JobHandler, JobOutcome, tableOperation, type JobContext } from 'nestjs-persistent-queue';

/** The job_type of its rows. */
export const MAIL = 1;

export interface Mail {
  to: string;
}

@Injectable()
export class MailJobs {
  @JobHandler(MAIL, { maxRetries: 2, waitTime: 300, operation: { use: tableOperation({ table: 'async_job_tab' }) } })
  send({ to }: Mail, job: JobContext) {
    if (!to.includes('@')) return JobOutcome.fail(`'${to}' is no address`);
    if (to.startsWith('busy') && job.attempt === 1) throw new Error('the mail server is busy');
    console.log(`  row ${job.id}: mail to ${to}, attempt ${job.attempt}`);
    return undefined;
  }
}
