export { persistentQueueMigrations, type PersistentQueueMigrationOptions } from './persistent-queue-migrations.js';
