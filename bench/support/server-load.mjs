import { cpuTime } from './cpu-time.mjs';

/**
 * What the server is asked from now on, per second, and how many seconds of the CPUs it and the workers use for that: call the answer
 * at the end. NaN where the server is not on this machine.
 */
export async function watchLoad(store, workers) {
  const before = await read(store, workers);
  return async () => {
    const after = await read(store, workers);
    const since = (name) => after[name] - before[name];
    const seconds = since('at') / 1_000;
    return {
      seconds,
      statements: since('statements') / seconds,
      commits: since('commits') / seconds,
      serverCpu: since('serverCpu'),
      workersCpu: since('workersCpu'),
    };
  };
}

async function read(store, { pids }) {
  const counters = await store.counters();
  const [serverCpu, workersCpu] = [cpuTime([store.serverPid]), cpuTime(pids)];
  return { ...counters, at: performance.now(), serverCpu, workersCpu };
}
