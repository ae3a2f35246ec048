export { PersistentQueueHealthModule, type PersistentQueueHealthOptions } from './persistent-queue-health.module.js';
export { PersistentQueueHealthIndicator } from './persistent-queue.health.js';
export type { HealthOptions, ReadinessOptions } from './health-options.js';
