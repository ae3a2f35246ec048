/** The applications' pools: small, so that the nemesis can fill them. */
export const POOL = 8;

/** Enough to take jobs from each other. */
export const WORKERS = 3;

/** A database on a throwaway server. `extra` makes a pool of `POOL`. */
export function onServer({ server, dialect, type, database, extra }) {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return {
    dialect,
    workers: WORKERS,
    port: Number(url.port),
    serversFor: () => [{ host: url.hostname, port: Number(url.port) }],
    direct: { dialect, url: url.href },
    optionsThrough: (port) => {
      const through = new URL(url);
      through.port = String(port);
      return { type, url: through.href, extra };
    },
    crash: () => server.crash(),
    restart: () => server.restart(),
    stop: () => server.stop(),
  };
}
