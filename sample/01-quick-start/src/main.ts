import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readOrders } from './orders/order-file.js';
import { Director } from './show/director.js';
import { Processes } from './show/processes.js';

const USAGE = 'Usage: npm run sample -- 01-quick-start [ORDERS.json] [--keep]';
const SHIPPED_ORDERS = fileURLToPath(new URL('../orders.json', import.meta.url));

process.exitCode = await main();

/** Answers the exit status: 0 all is right, 1 it is not, 2 it could not begin, 130 Ctrl-C. */
async function main(): Promise<number> {
  const command = readCommandLine();
  if (typeof command === 'string') {
    console.error(`${command}\n${USAGE}`);
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'order-shop-'));
  try {
    return await run(command.orderFile, folder);
  } finally {
    if (command.keep) console.log(`The database is kept: ${join(folder, 'shop.sqlite')}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

async function run(orderFile: string, folder: string): Promise<number> {
  const processes = new Processes();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interruption.abort(signal));
  }
  // Whoever was reading has gone, `| head` for example: an unheard error here would leave the others and the folder behind.
  process.stdout.on('error', () => interruption.abort('SIGPIPE'));
  const began = performance.now();
  try {
    const isRight = await new Director(orderFile, folder, processes, interruption.signal).direct();
    console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`);
    return isRight ? 0 : 1;
  } catch (error) {
    if (interruption.signal.aborted) return 128 + constants.signals[interruption.signal.reason as NodeJS.Signals];
    console.error(error);
    return 1;
  } finally {
    await processes.stopAll();
  }
}

/** The command, or what is wrong with it. */
function readCommandLine(): { orderFile: string; keep: boolean } | string {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { keep: { type: 'boolean', default: false } },
    });
    if (positionals.length > 1) return 'Give one file of orders.';
    // npm runs a script in the folder of package.json; INIT_CWD is where its user is.
    const orderFile = resolve(process.env['INIT_CWD'] ?? '.', positionals[0] ?? SHIPPED_ORDERS);
    readOrders(orderFile);
    return { orderFile, keep: values.keep };
  } catch (error) {
    return (error as Error).message;
  }
}
