import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobStep, MultiStepJob, OnJobSucceeded, type JobContext } from 'nestjs-persistent-queue';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { Killer, type Moment } from './killer.js';

/** The context, at first the payload. */
export interface FiveSteps {
  /** Where the processes write down what the database may not tell. */
  folder: string;
  /** Around which commit the first process that comes there dies. */
  kill: { step: string; moment: Moment };
  /** `step by pid`, of each step that counts. */
  trace: string[];
}

/** A line of the file `ran`: a step, or the callback, has begun. */
export interface Ran {
  job: string;
  step: string;
  pid: number;
  /** What was saved of the step when it began. */
  state: string | undefined;
  /** Its context is the one that was saved with the step before. */
  isSaved: boolean;
}

@Injectable()
@MultiStepJob('five steps', { waitTime: 20, maxCrashes: 1_000, concurrency: 1 })
export class FiveStepJobs implements OnModuleInit {
  private readonly killer = new Killer();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  onModuleInit(): void {
    this.killer.watch(this.dataSource);
  }

  @JobStep({ order: 1 })
  async one(context: FiveSteps, job: JobContext): Promise<void> {
    await this.run('one', context, job);
  }

  @JobStep({ order: 2, transactional: true })
  async two(context: FiveSteps, job: JobContext): Promise<void> {
    await this.runAndWrite('two', context, job);
  }

  @JobStep({ order: 3 })
  async three(context: FiveSteps, job: JobContext): Promise<void> {
    await this.run('three', context, job);
  }

  @JobStep({ order: 4, transactional: true })
  async four(context: FiveSteps, job: JobContext): Promise<void> {
    await this.runAndWrite('four', context, job);
  }

  @JobStep({ order: 5 })
  async five(context: FiveSteps, job: JobContext): Promise<void> {
    await this.run('five', context, job);
  }

  @OnJobSucceeded()
  async done(context: FiveSteps, job: JobContext): Promise<void> {
    await this.run('/OnJobSucceeded', context, job);
  }

  private async runAndWrite(step: string, context: FiveSteps, job: JobContext): Promise<void> {
    await this.run(step, context, job);
    await job.manager.query(`INSERT INTO effect (job_id, step, pid) VALUES (${job.id}, '${step}', ${process.pid})`);
  }

  private async run(step: string, context: FiveSteps, job: JobContext): Promise<void> {
    const saved = await this.saved(job);
    const before = saved.filter(({ context: json }) => json !== null).at(-1)?.context;
    const ran: Ran = {
      job: job.id,
      step,
      pid: process.pid,
      state: saved.find(({ name }) => name === step)?.state,
      isSaved: before === undefined ? context.trace.length === 0 : before === JSON.stringify(context),
    };
    appendFileSync(join(context.folder, 'ran'), `${JSON.stringify(ran)}\n`);
    context.trace.push(`${step} by ${process.pid}`);
    if (step === context.kill.step && isFirst(join(context.folder, `killed-${job.id}`)))
      this.killer.arm({ ...context.kill, job: job.id });
  }

  /** On SQLite the application has one connection: inside of a transaction this is it. */
  private saved({ id }: JobContext): Promise<{ name: string; state: string; context: string | null }[]> {
    return this.dataSource.query(`SELECT name, state, context FROM pq_step WHERE job_id = ${id} ORDER BY place`);
  }
}

/** A file, because it outlives both the process and its transactions. */
function isFirst(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
