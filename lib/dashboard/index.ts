export { PersistentQueueDashboardModule } from './dashboard.module.js';
export type { PersistentQueueDashboardOptions, ValueSource } from './dashboard-options.js';
