import { startMariaDb, startMySql, startPostgres } from './servers.mjs';

/** Gives the spec files their database servers: the ones named by the user, or throwaway ones started here. */
export default async function globalSetup() {
  const results = await Promise.allSettled([
    provide('PQ_TEST_MARIADB_URL', process.env.MARIADB_URL, startMariaDb),
    provide('PQ_TEST_MYSQL_URL', process.env.MYSQL_URL, startMySql),
    provide('PQ_TEST_POSTGRES_URL', process.env.POSTGRES_URL, startPostgres),
  ]);
  globalThis.stopTestServers = async () => {
    await Promise.all(results.map((result) => result.value?.stop()));
  };
  const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
  if (failures.length === 0) return;
  await globalThis.stopTestServers();
  throw new AggregateError(failures, failures.map((failure) => failure.message).join('\n'));
}

/** Spec files run in other processes: environment variables are what reaches them. */
async function provide(variable, urlOfUser, start) {
  const server = urlOfUser ? undefined : await start();
  const url = urlOfUser || server?.url;
  if (url) process.env[variable] = url;
  return server;
}
