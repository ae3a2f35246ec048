const MYSQL = {
  id: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
  lockRow: ' FOR UPDATE',
};

/** Milliseconds by the database's clock, as the library reads it, and the words in which the engines differ. */
const WORDS = {
  mysql: MYSQL,
  // A member does not see the row locks of the others, only what they write.
  galera: { ...MYSQL, touch: 'SET created_at = created_at ^ 1' },
  postgres: {
    id: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    now: '(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint',
    lockRow: ' FOR UPDATE',
  },
  sqlite: {
    id: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    now: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    lockRow: '',
  },
};

export function wordsOf(dialect) {
  return WORDS[dialect];
}

/** The producers' business rows, and what handlers did. No unique key: a second effect must show, not fail. */
export function tablesOf(dialect) {
  const { id } = WORDS[dialect];
  return [
    `CREATE TABLE purchase (id ${id}, token VARCHAR(64) NOT NULL)`,
    `CREATE TABLE ledger (id ${id}, way VARCHAR(16) NOT NULL, effect VARCHAR(16) NOT NULL, job_id BIGINT NOT NULL, ` +
      'fence BIGINT NOT NULL, token VARCHAR(64) NOT NULL, process BIGINT NOT NULL, at BIGINT NOT NULL)',
  ];
}

/** Numbers and tokens of our own making: nothing in them needs a quote. */
export function insertEffect(dialect, { way, effect, job, fence, token }) {
  return (
    'INSERT INTO ledger (way, effect, job_id, fence, token, process, at) ' +
    `VALUES ('${way}', '${effect}', ${Number(job)}, ${fence}, '${token}', ${process.pid}, ${WORDS[dialect].now})`
  );
}
