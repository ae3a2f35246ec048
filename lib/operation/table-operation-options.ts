/**
 * A value of a status column.
 *
 * @publicApi
 */
export type StatusValue = string | number | null;

/**
 * Which table, which columns and which values `tableOperation()` works on. Names are looked up in the database at boot, and quoted.
 *
 * @publicApi
 */
export interface TableOperationOptions {
  table: string;
  /**
   * What the type column holds in rows of this job type.
   * @default the job type
   */
  type?: string | number;
  /**
   * @default those of the seeds' async_job_tab: { id: 'id', type: 'job_type', payload: 'params', status: 'job_status', due: 'start_time', updated: 'update_time' }
   */
  columns?: TableColumns;
  /**
   * What the status column holds: `waiting` may be more than one value, and null.
   * @default those of async_job_tab: { waiting: [0, null], succeeded: 1, failed: 2 }
   */
  statuses?: {
    waiting: StatusValue | readonly StatusValue[];
    succeeded: string | number;
    failed: string | number;
  };
  /**
   * Of `due` and `updated`, which are whole numbers since 1970 in UTC.
   * @default 's'
   */
  unit?: 's' | 'ms';
}

/**
 * The columns of the table, by what they hold.
 *
 * @publicApi
 */
export interface TableColumns {
  /** The primary key, or another column that is unique. */
  id: string;
  status: string;
  /** For tables of several job types. */
  type?: string;
  /** JSON, as text or of the database's type; an empty text is `null`. */
  payload?: string;
  /** Rows are not run before; 0 and NULL are now. */
  due?: string;
  /** Set to the database's now when a row ends. */
  updated?: string;
  /** Set to the number of executions. */
  attempts?: string;
  /** Set to what went wrong last, cut to 1,000 characters. */
  error?: string;
}
