import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobQueue } from 'nestjs-persistent-queue';
import { AppModule } from './app.module.js';
import { OrderNotify } from './orders/order-notify.js';

const folder = mkdtempSync(join(tmpdir(), 'shop-'));
let app: INestApplication;
let jobQueue: JobQueue;

before(async () => {
  process.env['DATABASE'] = join(folder, 'shop.sqlite');
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication({ logger: false });
  await app.listen(0);
  jobQueue = app.get(JobQueue);
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function order(item: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${await app.getUrl()}/orders`, { method: 'POST', headers, body: JSON.stringify({ item }) });
}

test('an order is notified of', async () => {
  const response = await order('a lamp');
  assert.equal(response.status, 201);
  const { id } = (await response.json()) as { id: number };
  const { jobs } = await jobQueue.find({ key: `notify-${id}` });
  const job = await jobQueue.waitFor(jobs[0]!.id, { timeout: '5s' });
  assert.deepEqual([job.state, job.result], ['succeeded', `notified of ${id}`]);
  const notifications = await fetch(`${await app.getUrl()}/notifications`);
  assert.deepEqual(await notifications.json(), [{ id: 1, orderId: id }]);
});

test('an order that was not stored has no job', async () => {
  const counts = await jobQueue.counts();
  assert.equal((await order('')).status, 500);
  assert.deepEqual(await jobQueue.counts(), counts);
});

test('a job fails at once when its handler says so', async () => {
  const { id } = await jobQueue.enqueue(OrderNotify, { orderId: -1 });
  const job = await jobQueue.waitFor(id, { timeout: '5s' });
  assert.deepEqual([job.state, job.retries], ['failed', 0]);
});
