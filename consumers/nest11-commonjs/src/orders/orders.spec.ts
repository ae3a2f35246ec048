import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobQueue, LockService } from 'nestjs-persistent-queue';
import request from 'supertest';
import type { App } from 'supertest/types';
import { AppModule } from '../app.module';
import { NightShift } from './night-shift';

describe('the shop', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  let app: INestApplication<App>;
  beforeAll(async () => {
    process.env.DATABASE = join(folder, 'shop.sqlite');
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication({ logger: ['warn'] });
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  it('notifies of an order', async () => {
    const placed = await request(app.getHttpServer()).post('/orders').send({ item: 'a lamp' }).expect(201);
    const { jobs } = await app.get(JobQueue).find({ key: `notify-${placed.body.id}` });
    const job = await app.get(JobQueue).waitFor(jobs[0].id, { timeout: '5s' });
    expect(job).toMatchObject({ state: 'succeeded', result: `notified of ${placed.body.id}` });
    const { body } = await request(app.getHttpServer()).get('/notifications').expect(200);
    expect(body).toEqual([{ id: expect.any(Number), orderId: placed.body.id }]);
  });

  it('has no job of an order that was not stored', async () => {
    const before = await app.get(JobQueue).counts();
    await request(app.getHttpServer()).post('/orders').send({ item: '' }).expect(500);
    expect(await app.get(JobQueue).counts()).toEqual(before);
  });

  it('fails a job at once when the handler says so', async () => {
    const { id } = await app.get(JobQueue).enqueue('order.notify', { orderId: -1 });
    const job = await app.get(JobQueue).waitFor(id, { timeout: '5s' });
    expect(job).toMatchObject({ state: 'failed', retries: 0 });
  });

  it('runs a cron job under a lock', async () => {
    await app.get(NightShift).ran;
    const lock = await app.get(LockService).acquire('night-shift', { wait: '5s' });
    expect(lock.fence).toBeGreaterThan(1);
    await lock.release();
  });
});
