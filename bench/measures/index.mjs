/**
 * Each exports
 *
 *     cells(sizes)      what is measured: `{ system, variant, rounds, … }`, once for each server that the system runs on
 *     run(cell)         in the cell's process: answers the figures of one round
 *     tables(results)   what people read
 */
export const MEASURES = {
  drain: () => import('./drain.mjs'),
  enqueue: () => import('./enqueue.mjs'),
  latency: () => import('./latency.mjs'),
  slow: () => import('./slow.mjs'),
  limits: () => import('./limits.mjs'),
  fairness: () => import('./fairness.mjs'),
  memory: () => import('./memory.mjs'),
  traffic: () => import('./traffic.mjs'),
  history: () => import('./history.mjs'),
  idle: () => import('./idle.mjs'),
  enhancers: () => import('./enhancers.mjs'),
  curves: () => import('./curves.mjs'),
  retry: () => import('./retry.mjs'),
  scaling: () => import('./scaling.mjs'),
  telemetry: () => import('./telemetry.mjs'),
};
