/**
 * What is measured. `on`: the servers it stores in. `needs`: the oldest major version of Node it runs on, when that is not the
 * library's. `atMost`: as many jobs as it cannot end in the time of a cell, because filling a slow queue takes long.
 */
export const SYSTEMS = {
  ours: { title: 'nestjs-persistent-queue', module: './ours.mjs', on: ['mariadb', 'mysql', 'postgres', 'sqlite'] },
  bare: { title: 'bare SQL loop', module: './bare.mjs', on: ['mariadb', 'mysql', 'postgres', 'sqlite'] },
  bullmq: { title: 'BullMQ 6', module: './bullmq.mjs', on: ['redis', 'postgres'] },
  'pg-boss': {
    title: 'pg-boss 12, default',
    module: './pg-boss.mjs',
    on: ['postgres'],
    needs: 22,
    atMost: 2_000,
  },
  'pg-boss-fast': {
    title: 'pg-boss 12, batches of 1,000 and NOTIFY',
    module: './pg-boss.mjs',
    on: ['postgres'],
    needs: 22,
    options: { batchSize: 1_000, notify: true },
  },
  graphile: {
    title: 'graphile-worker 0.18, default',
    module: './graphile.mjs',
    on: ['postgres'],
    needs: 22,
    atMost: 40_000,
  },
  'graphile-fast': {
    title: 'graphile-worker 0.18, local queue and batched completion',
    module: './graphile.mjs',
    on: ['postgres'],
    needs: 22,
    options: { localQueue: 500, completionDelay: 0 },
  },
  sidequest: { title: 'Sidequest 1.16', module: './sidequest.mjs', on: ['mariadb'], needs: 22, atMost: 4_000 },
};

/**
 * Opens a system on a store. With `handle` it can run jobs, `concurrency` of them at once; without, it only enqueues.
 *
 *     prepare()                    makes the tables
 *     enqueue(payload)             one job, committed when it resolves
 *     enqueueMany(payloads)
 *     enqueueInTransaction(row, payload)   where it can: a row of the application's and a job, both or none
 *     start()                      begins to run jobs
 *     isDone()                     nothing waits or runs any more: asked often, so it must be cheap
 *     completed()                  how many jobs the store says have succeeded
 *     stored()                     how many jobs are in the store
 *     close()
 */
export async function openSystem(name, store, options) {
  const system = SYSTEMS[name];
  const { open } = await import(system.module);
  return open(store, { ...system.options, ...options });
}
