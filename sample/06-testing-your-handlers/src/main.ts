import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Runs the suite as `npm test` of a shop would, and says how long that took. */
const began = performance.now();
const test = spawn(process.execPath, ['--test', '--test-reporter=spec', `${import.meta.dirname}/test/shop.test.js`], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const summary = new Map<string, string>();
let cases = 0;
for await (const line of createInterface(test.stdout)) {
  console.log(line);
  const [, name, value] = /^ℹ (\w+) ([\d.]+)$/.exec(line) ?? [];
  cases += Number(/^[✔✖] .+ \(([\d.]+)ms\)$/.exec(line)?.[1] ?? 0);
  if (name !== undefined && value !== undefined) summary.set(name, value);
}
const [status] = test.exitCode === null ? ((await once(test, 'exit')) as [number | null]) : [test.exitCode];
const seconds = (milliseconds: number) => (milliseconds / 1_000).toFixed(2);
console.log(
  `\n${summary.get('tests')} tests, ${summary.get('fail')} failed. They took ${seconds(cases)} s; from the start of the process to its end, ` +
    `which comes by itself, ${seconds(performance.now() - began)} s`,
);
process.exitCode = status ?? 1;
