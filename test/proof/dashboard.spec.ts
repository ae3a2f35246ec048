import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import { LockService } from '../../lib/lock/lock-service.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { BrowserWindow, chromiumHere, launch } from '../support/browser.js';
import { DashboardSite, HTTP_ADAPTERS, LOGIN, type DashboardSiteOptions } from '../support/dashboard-site.js';
import { databases, type TestSchema } from '../support/databases.js';
import { crashWith, StuckShop, untilHeard, untilReason, type Reason } from '../support/stuck-jobs.js';
import { waitUntil } from '../support/wait-until.js';

/** Of the service in the same test; each test has a service of its own. */
const SENTENCES: Record<Reason, RegExp> = {
  ended: /^It has ended: failed\.$/,
  running: /^Node .+ has it/,
  'node-gone': /^Node gone#\d+ had it, and has not been heard of/,
  'not-acknowledged': /nobody has acknowledged it/,
  paused: /^Its type 'report\.build' is paused\.$/,
  'no-live-node': /^No node of the service is alive\.$/,
  'no-handler': /^No living node handles its type 'invoice\.print'/,
  'incompatible-steps': /steps of 'order\.fulfil' have changed/,
  'not-due': /^It waits for its time/,
  expired: /^Its deadline has passed/,
  'concurrency-full': /^Every node that handles its type 'stock\.count' runs as many jobs as it may.* 1\.$/,
  'global-concurrency-full': /^In the whole cluster as many jobs of its type 'till\.close' run as may: 1 of 1\.$/,
  'concurrency-key-full':
    /^As many jobs of its type 'report\.send' with the concurrency key 'A-17' run as may: 1 of 1\.$/,
  'key-not-known': /^It was stored without its concurrency key/,
  'rate-limited': /^As many jobs of its type 'sms\.send' have begun as may, 1 in 3600 s: the next begins at /,
  'last-chance': /it is on its last chance/,
  next: /^Nothing is in its way/,
};

const executable = chromiumHere();

/** Without a browser `npm test -- --proof` says at its end that this was not tested. */
(executable === undefined ? describe.skip : describe)('the dashboard in Chromium', () => {
  let browser: Browser;
  let schema: TestSchema;
  let window: BrowserWindow;
  let page: Page;
  let services = 0;
  let service: string;
  let shop: StuckShop;
  const opened: AppFixture[] = [];

  beforeAll(async () => {
    browser = await launch(executable as string);
    const sqlite = databases().find(({ name }) => name === 'sqlite');
    schema = (await sqlite?.create()) as TestSchema;
  });
  beforeEach(async () => {
    window = await BrowserWindow.open(browser, LOGIN);
    ({ page } = window);
    service = `shop-${++services}`;
    shop = new StuckShop();
  });
  afterEach(async () => {
    await window.close();
    shop.release();
    await Promise.all(opened.splice(0).map((app) => app.close()));
    // No dialog, no violation of the policy, no error of a script, nothing that could not be loaded.
    expect(window.troubles).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await schema.drop();
  });

  describe.each(HTTP_ADAPTERS)('on $name', ({ name, create }) => {
    const illustrates = name === 'Express';

    async function open(options: DashboardSiteOptions = {}): Promise<DashboardSite> {
      const { dashboard = { readOnly: false }, providers = shop.providers, queue, ...others } = options;
      const settings = { dashboard, providers, queue: { serviceName: service, ...queue }, ...others };
      const site = await DashboardSite.start(schema, create(), settings);
      opened.push(site);
      return site;
    }

    async function screenshot(image: string): Promise<void> {
      if (illustrates) await window.screenshot(image);
    }

    it('has a failing job found, its stack read, retried and seen to succeed', async () => {
      const site = await open();
      const { id } = await site.queue.enqueue('payment.capture', { order: 'A-17' });
      await site.waitFor(id, 'failed');
      await page.goto(site.url);
      await page.getByRole('navigation').getByRole('link', { name: 'payment.capture' }).click();
      await page.getByRole('link', { name: /failed/i }).click();
      await page.getByRole('link', { name: `#${id} payment.capture` }).click();
      const stack = page.getByRole('tabpanel', { name: 'Error' });
      await stack.getByText('the card terminal does not answer (order A-17)').waitFor();
      expect(await stack.innerText()).toMatch(/RangeError[^]*at [^]*stuck-jobs\.ts:\d+/);
      await screenshot('failed-job');
      shop.terminal.isMended = true;
      await page.locator('main button:has(svg.lucide-refresh-cw)').click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Confirm' }).click();
      await site.waitFor(id, 'succeeded');
      await page.getByText('Finished at').waitFor();
    });

    it('pauses a type, tells so on the page of a job, and resumes it there', async () => {
      const site = await open();
      await page.goto(`${site.url}/queue/report.build`);
      await page.locator('main [aria-haspopup=menu]').click();
      await page.getByRole('menuitem', { name: 'Pause' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Confirm' }).click();
      await waitUntil(async () => (await site.app.get(QueueInspector).pausedTypes()).includes('report.build'));
      await untilHeard(site);
      const { id } = await site.queue.enqueue('report.build', {});
      const [why] = await Promise.all([
        page.context().waitForEvent('page'),
        page.getByRole('link', { name: 'Why?' }).click(),
      ]);
      await why.getByText("Its type 'report.build' is paused.").waitFor();
      expect((await site.queue.get(id))?.state).toBe('waiting');
      await why.getByRole('button', { name: 'Resume the type' }).click();
      await why.getByRole('status').getByText('report.build is resumed.').waitFor();
      await site.waitFor(id, 'succeeded');
    });

    it('edits a schedule', async () => {
      const site = await open();
      const schedules = site.app.get(Schedules);
      await schedules.upsert('nightly report', { spec: '0 3 * * *', type: 'report.build' });
      await page.goto(`${site.url}/job-schedulers`);
      await page.getByRole('button', { name: 'Edit schedule' }).click();
      await page.getByRole('textbox', { name: 'Cron pattern' }).fill('30 4 * * 1-5');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('cell', { name: '30 4 * * 1-5' }).waitFor();
      expect(await schedules.get('nightly report')).toMatchObject({ spec: '30 4 * * 1-5', type: 'report.build' });
    });

    describe('asked why a job is not running', () => {
      async function expectReason(site: DashboardSite, id: string, reason: Reason): Promise<void> {
        await untilReason(site, id, reason);
        await page.goto(`${site.url}/inspect?job=${id}`);
        const item = page.locator(`li[data-reason="${reason}"]`);
        await item.waitFor();
        expect(await item.locator('strong').innerText()).toMatch(SENTENCES[reason]);
        expect(await item.locator('p').innerText()).toMatch(/\w+/);
      }

      it('names what holds each job of a service that is alive', async () => {
        let site!: DashboardSite;
        const stuck = await shop.stick(schema, service, async () => (site = await open()));
        for (const [reason, id] of stuck) await expectReason(site, id, reason);
        const { id } = await site.queue.enqueue('order.ship', {});
        await waitUntil(async () => (await site.queue.steps(id)).steps.some(({ state }) => state === 'sleeping'));
        await site.queue.pause('order.ship');
        await expectReason(site, id, 'not-due');
        await page.getByRole('row', { name: /until the van comes/ }).waitFor();
        await screenshot('why');
        await page.goto(`${site.url}/inspect`);
        await page.getByRole('row', { name: /^invoice\.print jobs wait, and no living node runs them/ }).waitFor();
        await site.app.get(Schedules).upsert('nightly report', { spec: '0 3 * * *', type: 'report.build' });
        const lock = await site.app.get(LockService).tryAcquire('closing');
        await page.getByRole('button', { name: 'Refresh' }).click();
        await page.getByRole('row', { name: /^closing held/ }).waitFor();
        await page.getByRole('row', { name: /^nightly report on time/ }).waitFor();
        await screenshot('service');
        await lock?.release();
        await page.goto(site.url);
        await page
          .getByRole('link', { name: /^failed 1$/i })
          .first()
          .waitFor();
        await screenshot('board');
      });

      it('finds the job by its key and its reference too', async () => {
        const site = await open();
        const { id } = await site.queue.enqueue('payment.capture', {}, { key: 'pay-17', reference: 'A-17' });
        await page.goto(`${site.url}/inspect`);
        for (const [by, value] of [
          ['key', 'pay-17'],
          ['reference', 'A-17'],
        ] as const) {
          await page.getByLabel('Find by').selectOption(by);
          await page.getByLabel('Which job?').fill(value);
          await page.getByRole('button', { name: 'Ask' }).click();
          await page.getByRole('heading', { name: `Job ${id}` }).waitFor();
          await page.getByRole('link', { name: 'The whole service' }).click();
          await page.getByRole('heading', { name: 'Nodes' }).waitFor();
        }
        await page.getByLabel('Which job?').fill('none such');
        await page.getByLabel('Find by').selectOption('key');
        await page.getByRole('button', { name: 'Ask' }).click();
        await page.getByRole('alert').getByText('There is no job with the key none such').waitFor();
      });

      it('knows of a job with which a process has died', async () => {
        const id = await crashWith(schema, service, 'label.print');
        const site = await open();
        const { id: running } = await site.queue.enqueue('stock.count', {});
        await site.waitFor(running, 'running');
        await expectReason(site, id, 'last-chance');
        shop.release();
        await site.waitFor(id, 'succeeded');
      });

      it('knows of a job whose node is gone while nobody is there to find it', async () => {
        const id = await crashWith(schema, service, 'label.print');
        const site = await open({ queue: { roles: ['enqueue'] } });
        await expectReason(site, id, 'node-gone');
        await expectReason(site, id, 'no-live-node');
      });

      it('knows of a service without a living node, and of one that has not come to it yet', async () => {
        const site = await open({ queue: { roles: ['enqueue'] } });
        const { id } = await site.queue.enqueue('report.build', {});
        await expectReason(site, id, 'no-live-node');
        const poll = { min: 3_600_000, max: 3_600_000 };
        const slow = await startApp(schema, {
          providers: shop.providers,
          queue: { serviceName: service, autoStart: false, poll },
        });
        opened.push(slow);
        // What waits when it begins is claimed with its first poll.
        await site.queue.cancel(id);
        await slow.start();
        const { id: next } = await site.queue.enqueue('report.build', {});
        await expectReason(site, next, 'next');
      });

      it('offers what is done about it, and does it', async () => {
        const site = await open();
        const later = await site.queue.enqueue('order.notify', {}, { delay: 3_600_000 });
        await page.goto(`${site.url}/inspect?job=${later.id}`);
        await page.getByRole('button', { name: 'Run it now' }).click();
        await site.waitFor(later.id, 'succeeded');
        const failed = await site.queue.enqueue('payment.capture', { order: 'A-17' });
        await site.waitFor(failed.id, 'failed');
        shop.terminal.isMended = true;
        await page.goto(`${site.url}/inspect?job=${failed.id}`);
        await page.getByText('the card terminal does not answer (order A-17)').waitFor();
        await page.getByRole('button', { name: 'Retry' }).click();
        await site.waitFor(failed.id, 'succeeded');
        const another = await site.queue.enqueue('order.notify', {}, { delay: 3_600_000 });
        await page.goto(`${site.url}/inspect?job=${another.id}`);
        await page.getByRole('button', { name: 'Cancel it' }).click();
        expect((await site.queue.get(another.id))?.state).toBe('scheduled');
        await page.getByRole('button', { name: 'Cancel it for good?' }).click();
        await site.waitFor(another.id, 'cancelled');
        await page.getByText('It has ended: cancelled.').waitFor();
      });

      it('can be used with the keyboard alone, and on a phone', async () => {
        const site = await open();
        await site.queue.pause('report.build');
        await untilHeard(site);
        const { id } = await site.queue.enqueue('report.build', {});
        await page.setViewportSize({ width: 390, height: 800 });
        await page.goto(`${site.url}/inspect?job=${id}`);
        await page.getByRole('button', { name: 'Resume the type' }).waitFor();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await page.keyboard.press('Tab');
        await page.locator('button:focus', { hasText: 'Resume the type' }).waitFor();
        await page.keyboard.press('Enter');
        await site.waitFor(id, 'succeeded');
        await page.getByRole('status').getByText('report.build is resumed.').waitFor();
      });

      it('offers nothing where it is read-only', async () => {
        const site = await open({ dashboard: {} });
        const { id } = await site.queue.enqueue('payment.capture', { order: 'A-17' });
        await site.waitFor(id, 'failed');
        await page.goto(`${site.url}/inspect?job=${id}`);
        await page.getByText('It has ended: failed.').waitFor();
        expect(await page.locator('main button').count()).toBe(0);
      });
    });

    it('shows a script as the text that it is, wherever it stands', async () => {
      const script = (where: string) => `<img src=x onerror="alert('${where}')"><script>alert('${where}')</script>`;
      const evil = handler(script('type'), (_, job) => {
        job.log(script('log'));
        throw Object.assign(new Error(script('message')), { name: script('name') });
      });
      const site = await open({ providers: [evil], dashboard: { payloads: 'shown' } });
      const options = { key: script('key'), reference: script('reference'), maxRetries: 0 };
      const { id } = await site.queue.enqueue(script('type'), { [script('field')]: script('payload') }, options);
      await site.waitFor(id, 'failed');
      await site.app.get(Schedules).upsert('evil', { spec: '0 3 * * *', type: script('type') });
      const lock = await site.app.get(LockService).tryAcquire(script('lock'));
      await page.goto(`${site.url}/inspect?job=${id}`);
      for (const where of ['type', 'log', 'message', 'name', 'key', 'reference', 'payload'])
        await page.getByText(`alert('${where}')</script>`).first().waitFor();
      await page.goto(`${site.url}/inspect`);
      for (const where of ['type', 'lock']) await page.getByText(script(where)).first().waitFor();
      await page.goto(site.url);
      await page
        .getByRole('navigation')
        .getByRole('link', { name: script('type') })
        .click();
      await page.getByRole('link', { name: `#${id}` }).click();
      for (const tab of ['Error', 'Data', 'Options', 'Logs']) {
        await page.getByRole('tab', { name: tab }).click();
        await page.getByRole('tabpanel', { name: tab }).getByText('</script>').first().waitFor();
      }
      await page.goto(`${site.url}/job-schedulers`);
      await page.getByText(script('type')).first().waitFor();
      expect(await page.locator('img[src=x]').count()).toBe(0);
      await lock?.release();
    });

    it('does nothing that a page of another site has asked for, although the browser is logged in', async () => {
      const site = await open();
      await page.goto(`${site.url}/inspect`);
      await page.getByRole('heading', { name: 'Types' }).waitFor();
      const elsewhere = await forger(`${site.url}/inspect/api/types/report.build/pause`);
      try {
        // Another host for the browser, which logs in nevertheless: it knows the password of the target.
        await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}`);
        const answered = page.waitForResponse(/pause$/);
        await page.getByRole('button').click();
        expect((await answered).status()).toBe(403);
      } finally {
        elsewhere.close();
      }
      expect(await site.app.get(QueueInspector).pausedTypes()).toEqual([]);
      // The browser reports the refused page as what could not be loaded, and the icon that it looks for beside it.
      page.removeAllListeners('console');
      window.troubles.length = 0;
    });
  });
});

/** A page of another site with a form that is sent to the dashboard. */
async function forger(target: string): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><form method="post" action="${target}"><button>Win a prize</button></form>`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
