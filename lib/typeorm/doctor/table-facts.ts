/** A table as it should be or as it is, in words that can be compared. */
export interface TableFacts {
  readonly name: string;
  readonly columns: readonly ColumnFacts[];
  readonly indexes: readonly IndexFacts[];
  /** Why it does not keep what is written to it; `undefined`: it does. */
  readonly unsafe?: { readonly why: string; readonly cure: string } | undefined;
}

export interface ColumnFacts {
  readonly name: string;
  /** Lower case, without what does not matter. */
  readonly type: string;
  readonly nullable: boolean;
  /** A literal without quotes, or `COMPUTED`; `undefined`: none. */
  readonly fallback: string | undefined;
  /** How names in it are compared; `undefined` where it does not matter. */
  readonly collation?: string | undefined;
}

export interface IndexFacts {
  readonly name: string;
  readonly columns: string;
  readonly unique: boolean;
  /** The rows it covers, without spaces, parentheses and casts; `''`: all. */
  readonly where: string;
  /** It is there, but the database does not use it. */
  readonly disabled?: boolean;
}

export const PRIMARY_KEY = 'primary key';
export const COMPUTED = '(computed)';

/** Catalogs write the same type in several ways. */
export function plainType(type: string): string {
  return type
    .toLowerCase()
    .replace('character varying', 'varchar')
    .replace(/^(bigint|int|integer)\(\d+\)/, '$1')
    .replace(/^int$/, 'integer');
}

const BYTES_OF_A_CHARACTER = 4;

/** Tables that a MySQL before 8.0.17 has made keep names as bytes, whatever the server is now. */
export function asCharacters(type: string): string {
  const [, bytes] = /^varbinary\((\d+)\)$/.exec(type) ?? [];
  return bytes === undefined ? type : `varchar(${Number(bytes) / BYTES_OF_A_CHARACTER})`;
}

/** What follows DEFAULT, as a catalog has it. */
export function plainDefault(text: string | undefined): string | undefined {
  if (text === undefined || text.toUpperCase() === 'NULL') return undefined;
  const [, quoted, number] = /^(?:'([^']*)'|\(?(-?\d+)\)?)(?:::[\w ]+)?$/.exec(text) ?? [];
  return quoted ?? number ?? COMPUTED;
}

export function plainCondition(where: string | undefined): string {
  return (where ?? '').replaceAll(/::(character varying|\w+)|[()\s]/g, '').toLowerCase();
}
