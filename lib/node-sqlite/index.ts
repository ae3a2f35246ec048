export { NodeSqlite, type NodeSqliteOptions, type NodeSqliteStatement } from './node-sqlite.js';
