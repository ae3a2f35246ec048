import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a Node script in the foreground: its output and signals are ours. Answers its exit status, as a shell counts it.
 *
 * @param node another Node than this one
 * @param hear is handed its output instead, piece by piece: for scripts that run side by side
 */
export async function runNode(args, { node = process.execPath, hear, ...options } = {}) {
  const child = spawn(node, args, { stdio: hear ? ['ignore', 'pipe', 'pipe'] : 'inherit', ...options });
  for (const stream of hear ? [child.stdout, child.stderr] : []) stream.on('data', hear);
  // A terminal has already sent its Ctrl-C to the child, and a second one may mean "now".
  const forward = (signal) => (signal !== 'SIGINT' || !process.stdin.isTTY) && child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  // Not 'exit': there may be something left to hear.
  const [code, signal] = await once(child, 'close');
  for (const each of SIGNALS) process.off(each, forward);
  return code ?? 128 + constants.signals[signal];
}
