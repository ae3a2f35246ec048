import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { INestApplicationContext } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { JobQueue, MissingRoleError } from 'nestjs-persistent-queue';
import { DataSource } from 'typeorm';
import { ApiModule } from './api.module.js';
import { OrderNotify } from './orders/order-notify.js';
import { WorkerModule } from './worker.module.js';

const folder = mkdtempSync(join(tmpdir(), 'shop-'));
let app: NestFastifyApplication;
let worker: INestApplicationContext;
let jobQueue: JobQueue;

before(async () => {
  process.env['DATABASE'] = join(folder, 'shop.sqlite');
  const api = await Test.createTestingModule({ imports: [ApiModule] }).compile();
  app = api.createNestApplication(new FastifyAdapter(), { logger: false });
  await app.listen(0);
  jobQueue = app.get(JobQueue);
  worker = await Test.createTestingModule({ imports: [WorkerModule] }).compile();
  await worker.init();
});
after(async () => {
  await worker.close();
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

test('the API is no node and runs no job', async () => {
  const nodes = await app.get(DataSource).query('SELECT id FROM pq_node');
  assert.equal(nodes.length, 1);
  await assert.rejects(worker.get(JobQueue).enqueue(OrderNotify, { orderId: 1 }), MissingRoleError);
});
