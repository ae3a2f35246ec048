import type { DataSource } from 'typeorm';

/** A table that was there before: other programs insert into it. Not a column is of this library. */
export const TABLE = `CREATE TABLE \`async_job_tab\` (
		\`id\` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
		\`params\` varchar(4096) COLLATE utf8mb4_unicode_ci DEFAULT '' NOT NULL,
		\`job_type\` int(11) NOT NULL,
		\`job_status\` tinyint(4) DEFAULT NULL COMMENT '0:init, 1:success, 2:failed, 3:continue, 4:retry',
		\`start_time\` int(11) unsigned DEFAULT '0',
		\`create_time\` int(11) unsigned NOT NULL,
		\`update_time\` int(11) unsigned NOT NULL,
		PRIMARY KEY (\`id\`)
	) ENGINE=InnoDB AUTO_INCREMENT=1 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;`;

export interface Row {
  id: string;
  params: string;
  job_status: number;
  start_time: number;
  update_time: number;
}

/** As any program in any language would: status 0, and a start time of 0 for now. */
export async function insert(database: DataSource, type: number, params: object, delay = 0): Promise<void> {
  await database.query(
    'INSERT INTO async_job_tab (params, job_type, job_status, start_time, create_time, update_time) ' +
      'VALUES (?, ?, 0, IF(? = 0, 0, UNIX_TIMESTAMP() + ?), UNIX_TIMESTAMP(), UNIX_TIMESTAMP())',
    [JSON.stringify(params), type, delay, delay],
  );
}

export function rows(database: DataSource): Promise<Row[]> {
  return database.query<Row[]>('SELECT id, params, job_status, start_time, update_time FROM async_job_tab ORDER BY id');
}
