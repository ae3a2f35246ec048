import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from './binaries.mjs';

const ROOT = join(import.meta.dirname, '../..');
/** Less than a test has, so that a failure says what was waited for. */
const PATIENCE = 15_000;
const SIZE = { width: 1_200, height: 800 };
/** `PQ_PROOF_SCREENSHOTS=1`: the images of the documentation are taken anew. */
const TAKES_SCREENSHOTS = process.env['PQ_PROOF_SCREENSHOTS'] === '1';

/** A window of a real Chromium, and everything that went wrong in it. */
export class BrowserWindow {
  /** Dialogs, violations of the policy, errors of scripts, failed requests: none of them ever belongs there. */
  readonly troubles: string[] = [];

  private constructor(readonly page: Page) {
    page.on('dialog', (dialog) => {
      this.troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() === 'error') this.troubles.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.troubles.push(`error: ${error.message}`));
  }

  static async open(browser: Browser, httpCredentials: { username: string; password: string }): Promise<BrowserWindow> {
    const context = await browser.newContext({ httpCredentials, viewport: SIZE, locale: 'en-US', timezoneId: 'UTC' });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const window = new BrowserWindow(page);
    await page.exposeFunction('violated', (text: string) => window.troubles.push(`policy: ${text}`));
    await page.addInitScript(`addEventListener('securitypolicyviolation',
      ({ violatedDirective, blockedURI }) => violated(violatedDirective + ' ' + blockedURI))`);
    return window;
  }

  /** For the documentation, and only when asked for. Names and folders of this machine are replaced: they tell readers nothing. */
  async screenshot(name: string): Promise<void> {
    if (!TAKES_SCREENSHOTS) return;
    await this.page.evaluate(neutralise, [
      [ROOT, '/app'],
      [hostname(), 'shop-1'],
    ] as const);
    await this.page.screenshot({ path: join(ROOT, 'docs/images', `${name}.png`) });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** `undefined`: there is none on this machine, which `npm test -- --proof` reports. */
export function chromiumHere(): string | undefined {
  const path = findChromium();
  return path !== undefined && existsSync(path) ? path : undefined;
}

export function launch(executablePath: string): Promise<Browser> {
  // Its sandbox does not work for root and in containers, and it looks at nothing but our own pages.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

/** Runs in the page. */
function neutralise(replacements: readonly (readonly [string, string])[]): void {
  const { document, NodeFilter } = globalThis as unknown as PageGlobals;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    for (const [from, to] of replacements) node.nodeValue = (node.nodeValue ?? '').replaceAll(from, to);
  }
}

/** As much of a browser's globals as is used: the compiler knows those of Node only. */
interface PageGlobals {
  readonly document: {
    readonly body: unknown;
    createTreeWalker(root: unknown, what: number): { nextNode(): { nodeValue: string | null } | null };
  };
  readonly NodeFilter: { readonly SHOW_TEXT: number };
}
