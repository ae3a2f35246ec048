import 'reflect-metadata';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Order, Payment } from '../shop/entities.js';
import { OrderCharge, OrderConfirm, OrderFulfil, OrderRemind } from '../shop/jobs.js';
import { MONDAY, openShop } from './shop-fixture.js';

const { queue, jobQueue, desk, world, manager } = await openShop();
const DAY = 24 * 60 * 60 * 1000;

describe('placing an order', () => {
  it('enqueues what has to be done, and runs none of it', async () => {
    const order = await desk.place('ann@example.com', 30);
    queue.expectEnqueued(OrderConfirm, { payload: { orderId: order.id }, reference: `order-${order.id}` });
    queue.expectEnqueued(OrderCharge, { key: `charge-${order.id}`, priority: 5, times: 1 });
    queue.expectEnqueued(OrderRemind, { payload: { reminder: 1 }, delay: '2d' });
    queue.expectNotEnqueued(OrderFulfil);
    assert.deepEqual(world.mails, []);
  });

  for (const price of [10_001, 20_000, 1_000_000])
    it(`for ${price} is rolled back, with all of its jobs`, async () => {
      await assert.rejects(desk.place('ann@example.com', price), RangeError);
      assert.deepEqual(queue.enqueued(), []);
      assert.equal(await manager.count(Order), 0);
    });

  for (const price of [1, 99, 500, 10_000])
    it(`for ${price} is charged, shipped and mailed`, async () => {
      const { id } = await desk.place('ann@example.com', price);
      await queue.drain({ until: '3d' });
      assert.equal((await manager.findOneByOrFail(Order, { id })).state, 'fulfilled');
      assert.deepEqual(
        (await manager.find(Payment)).map((payment) => payment.price),
        [price],
      );
      assert.deepEqual(world.shipped, [id]);
    });

  for (const count of [2, 5, 10])
    it(`${count} times makes ${count} of each job`, async () => {
      for (let n = 0; n < count; n++) await desk.place(`customer-${n}@example.com`, n + 1);
      for (const type of [OrderConfirm, OrderCharge, OrderRemind]) queue.expectEnqueued(type, { times: count });
      assert.equal(queue.enqueued().length, 3 * count);
    });
});

describe('the confirmation', () => {
  it('is mailed once', async () => {
    const { id } = await confirm('ann@example.com');
    const job = await queue.run(id);
    assert.equal(job.result, 'mail 1');
    assert.equal(world.mails.length, 1);
  });

  for (const failures of [1, 2, 3])
    it(`comes through when the mail server is away ${failures} times`, async () => {
      const { id } = await confirm('ann@example.com');
      let left = failures;
      world.before = () => {
        if (left-- > 0) throw new Error('no mail server');
      };
      await queue.drain({ until: '1h' });
      const job = await jobQueue.get(id);
      assert.equal(job?.state, 'succeeded');
      assert.equal(job.finishedAt?.getTime(), MONDAY.getTime() + failures * 3 * 60_000);
    });

  it('is given up after four attempts', async () => {
    const { id } = await confirm('ann@example.com');
    world.before = () => {
      throw new Error('no mail server');
    };
    await queue.drain({ until: '1h' });
    assert.equal((await jobQueue.get(id))?.state, 'failed');
    assert.deepEqual(
      (await queue.history(id)).map(({ attempt, outcome }) => `${attempt} ${outcome}`),
      ['1 retried', '2 retried', '3 retried', '4 failed'],
    );
  });

  it('waits three minutes before it is tried again', async () => {
    const { id } = await confirm('ann@example.com');
    world.before = () => {
      throw new Error('no mail server');
    };
    await queue.drain();
    assert.deepEqual((await jobQueue.get(id))?.dueAt, new Date(MONDAY.getTime() + 180_000));
    queue.clock.advance(179_999);
    assert.equal(await queue.drain(), 0);
    queue.clock.advance(1);
    assert.equal(await queue.drain(), 1);
  });

  for (const email of ['ann', '', 'ann.example.com'])
    it(`to '${email}' is given up at once`, async () => {
      const { id } = await confirm(email);
      assert.equal((await queue.run(id)).state, 'failed');
      assert.equal((await queue.history(id)).length, 1);
      assert.deepEqual(world.mails, []);
    });

  async function confirm(email: string) {
    const { id } = await manager.save(manager.create(Order, { email, price: 1 }));
    return jobQueue.enqueue(OrderConfirm, { orderId: id });
  }
});

describe('the charge', () => {
  for (const price of [1, 10, 100, 500])
    it(`of ${price} pays the order, and has it fulfilled`, async () => {
      const { id, orderId } = await charge(price);
      assert.equal((await queue.run(id)).state, 'succeeded');
      assert.equal((await manager.findOneByOrFail(Order, { id: orderId })).state, 'paid');
      assert.deepEqual(
        (await manager.find(Payment)).map((payment) => [payment.orderId, payment.price]),
        [[orderId, price]],
      );
      queue.expectEnqueued(OrderFulfil, { payload: { orderId } });
    });

  it('that the bank declines fails for good', async () => {
    world.bank = 'declined';
    const { id } = await charge(7);
    const job = await queue.run(id);
    assert.equal(job.state, 'failed');
    assert.equal(job.lastError?.message, 'The bank has declined 7');
    assert.equal(await manager.count(Payment), 0);
    queue.expectNotEnqueued(OrderFulfil);
  });

  for (const failures of [1, 2, 3])
    it(`writes one payment when ${failures} attempts were rolled back`, async () => {
      const { id } = await charge(7);
      let left = failures;
      world.before = () => {
        if (left-- > 0) throw new Error('no bank');
      };
      await queue.drain({ until: '1h' });
      assert.equal(world.charged.length, failures + 1);
      assert.equal(await manager.count(Payment), 1);
      assert.equal((await queue.history(id)).length, failures + 1);
    });

  for (const crashes of [1, 2])
    it(`writes one payment when its process dies ${crashes} times in the middle of it`, async () => {
      const { id } = await charge(7);
      let left = crashes;
      world.before = () => (left-- > 0 ? queue.crash() : undefined);
      await queue.drain({ until: '1h' });
      assert.equal(await manager.count(Payment), 1);
      assert.equal((await jobQueue.get(id))?.state, 'succeeded');
    });

  it('is enqueued once for an order', async () => {
    const { id, orderId } = await charge(7);
    const second = await jobQueue.enqueue(OrderCharge, { orderId }, { key: `charge-${orderId}` });
    assert.deepEqual(second, { id, created: false });
    queue.expectEnqueued(OrderCharge, { times: 1 });
  });

  async function charge(price: number) {
    const order = await manager.save(manager.create(Order, { email: 'ann@example.com', price }));
    const { id } = await jobQueue.enqueue(OrderCharge, { orderId: order.id }, { key: `charge-${order.id}` });
    return { id, orderId: order.id };
  }
});

describe('reminders', () => {
  for (const [days, mails] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [6, 3],
    [30, 3],
  ] as const)
    it(`of an order that nobody pays for ${days} days are ${mails}`, async () => {
      const { id } = await manager.save(manager.create(Order, { email: 'ann@example.com', price: 1 }));
      await jobQueue.enqueue(OrderRemind, { orderId: id, reminder: 1 }, { delay: '2d' });
      await queue.drain({ until: days * DAY });
      assert.equal(world.mails.filter((mail) => mail.includes('not paid')).length, mails);
    });

  it('of a paid order are not needed', async () => {
    const { id } = await manager.save(manager.create(Order, { email: 'a@example.com', price: 1, state: 'paid' }));
    const { id: job } = await jobQueue.enqueue(OrderRemind, { orderId: id, reminder: 1 });
    assert.equal((await queue.run(job)).result, 'not needed');
  });
});

describe('fulfilment', () => {
  it('sleeps a day between the parcel and the mail', async () => {
    const { id } = await fulfil();
    await queue.drain();
    assert.equal((await jobQueue.get(id))?.state, 'scheduled');
    assert.deepEqual(world.mails, []);
    await queue.drain({ until: '1d' });
    assert.equal((await jobQueue.get(id))?.result, 'parcel-1');
    assert.equal(parcelMails().length, 1);
  });

  for (const failing of ['ship', 'mail'] as const)
    it(`ships one parcel, also when '${failing}' fails at first`, async () => {
      const { id } = await fulfil();
      let left = 2;
      world.before = (what) => {
        if (what === failing && left-- > 0) throw new Error(`no ${what}`);
      };
      await queue.drain({ until: '2d' });
      assert.equal((await jobQueue.get(id))?.state, 'succeeded');
      assert.equal(world.shipped.length, failing === 'ship' ? 3 : 1);
    });

  it('ships again when its process dies before the parcel is known: at least once', async () => {
    const { id } = await fulfil();
    world.before = (what) => (what === 'ship' && world.shipped.length === 1 ? queue.crash() : undefined);
    await queue.drain({ until: '2d' });
    assert.deepEqual(world.shipped, [1, 1]);
    assert.equal((await queue.history(id))[0]?.outcome, 'crashed');
  });

  it('mails a second time, and ships no second parcel, when its process dies in the mail', async () => {
    const { id } = await fulfil();
    world.before = (what) => (what === 'mail' && parcelMails().length === 1 ? queue.crash() : undefined);
    await queue.drain({ until: '30h' });
    assert.equal(parcelMails().length, 2);
    assert.deepEqual(world.shipped, [1]);
    assert.equal((await jobQueue.get(id))?.state, 'succeeded');
  });

  it('that is overtaken by a second run of itself counts once', async () => {
    const { id } = await fulfil();
    world.before = (what) => (what === 'ship' && world.shipped.length === 1 ? queue.zombie() : undefined);
    await queue.drain({ until: '2d' });
    assert.deepEqual(world.shipped, [1, 1]);
    assert.equal(parcelMails().length, 1);
    assert.equal((await jobQueue.get(id))?.state, 'succeeded');
  });

  const parcelMails = () => world.mails.filter((mail) => mail.includes('Parcel'));

  async function fulfil() {
    await manager.save(manager.create(Order, { id: 1, email: 'ann@example.com', price: 1, state: 'paid' }));
    return jobQueue.enqueue(OrderFulfil, { orderId: 1 });
  }
});

describe('the report', () => {
  for (const days of [1, 3, 7, 30])
    it(`of ${days} days is made ${days} times, at eight in Berlin`, async () => {
      await queue.drain({ until: days * DAY });
      assert.equal(queue.enqueued('report').length, days);
      assert.equal(queue.enqueued('report')[0]?.enqueuedAt.toISOString(), '2030-01-08T07:00:00.000Z');
    });

  it('has what was paid', async () => {
    await manager.insert(Payment, [
      { orderId: 1, price: 20 },
      { orderId: 2, price: 22 },
    ]);
    await queue.drain({ until: '1d' });
    assert.deepEqual(world.mails, ['boss@example.com: 2 payments, 42 in all']);
  });
});
