/** The applications' pools: small, so that the nemesis can fill them. */
export const POOL = 8;

/** A database on a throwaway server. `extra` makes a pool of `POOL`. */
export function onServer({ server, dialect, type, database, extra }) {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return {
    dialect,
    port: Number(url.port),
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
