import type { NewSchedule } from '../../job/schedule.js';
import type { MemoryStore } from './memory-store.js';
import { saveRow, scheduleNamed, schedulesOf } from './schedule-rows.js';

/** Stores declarations that have changed; answers those that are declared by nobody any more. */
export function declareRows(store: MemoryStore, service: string, schedules: readonly NewSchedule[]): string[] {
  for (const schedule of schedules) {
    const known = scheduleNamed(store, service, schedule.name);
    const declaration = JSON.stringify(schedule);
    const wasGone = known?.declared !== undefined && known.gone;
    if (known?.declared !== declaration) saveRow(store, service, schedule, declaration);
    if (wasGone) Object.assign(known, { enabled: true, gone: false });
  }
  const declared = new Set(schedules.map(({ name }) => name));
  const nodes = [...store.nodes.values()].filter((node) => node.service === service && node.state === 'alive');
  const handled = new Set(nodes.flatMap(({ types }) => types.map(({ type }) => type)));
  const gone = schedulesOf(store, service).filter(
    (row) =>
      row.declared !== undefined &&
      row.enabled &&
      !row.gone &&
      !declared.has(row.given.name) &&
      !handled.has(row.given.type),
  );
  for (const row of gone) Object.assign(row, { enabled: false, gone: true });
  return gone.map(({ given }) => given.name);
}
