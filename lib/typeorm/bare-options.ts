/** For a DataSource of ours with the application's options: TypeORM touches nothing of its schema, loads nothing of its own and tells nobody. */
export const BARE_OPTIONS: object = {
  entities: [],
  subscribers: [],
  migrations: [],
  synchronize: false,
  migrationsRun: false,
  dropSchema: false,
  cache: false,
  // A logger of the application's own is told every statement, whatever `logging` says: payloads are none of its business.
  logging: false,
  logger: undefined,
  maxQueryExecutionTime: undefined,
  // Of PostgreSQL: TypeORM would create those that its driver knows.
  installExtensions: false,
  extensions: undefined,
};
