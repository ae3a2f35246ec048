import type { EntityManager } from 'typeorm';
import type { Dialect } from '../dialects/dialect.js';
import type { Parameter } from '../statement.js';
import type { TableFacts } from './own-table-catalog.js';
import type { OwnTableMapping } from './own-table-mapping.js';

/** A row as it is loaded: the id as text, because drivers round large numbers. */
export interface OwnRow {
  readonly id: string;
  readonly payload: unknown;
  /** UTC epoch milliseconds; 0 stands for none. */
  readonly due: number;
}

export interface OwnRowEnd {
  readonly id: string;
  readonly attempt: number;
  readonly error: string | undefined;
}

type Value = Parameter | bigint;

const LONGEST_ERROR = 1_000;

/** The statements for a table of the application's. All names have been found in the database, and are quoted. */
export class OwnTable {
  private readonly table: string;

  constructor(
    private readonly dialect: Dialect,
    private readonly mapping: OwnTableMapping,
    private readonly facts: TableFacts,
  ) {
    this.table = this.quote(mapping.table);
  }

  /** Rows that wait and are due, oldest due first. A search for each waiting status: an OR over them would keep the index from being used. */
  async load(
    manager: EntityManager,
    type: string | number,
    limit: number,
    exclude: ReadonlySet<string>,
  ): Promise<OwnRow[]> {
    const { id, payload, due } = this.mapping.columns;
    const fields = `${this.asText(id)} AS row_id, ${this.field(payload)} AS payload, ${this.field(due)} AS due`;
    const parameters: Value[] = [];
    const searches = this.mapping.waiting.map((status, index) => {
      const where = [
        this.isStatus(status, parameters),
        ...this.ofType(type, parameters),
        ...this.isDue(),
        ...this.isNot(exclude, parameters),
      ];
      // By the table's own columns: an alias would be sorted by as it is read.
      const order = [due, id].filter((column) => column !== undefined).map((column) => this.field(column));
      parameters.push(limit);
      const search = `SELECT ${fields} FROM ${this.table} t WHERE ${where.join(' AND ')} ORDER BY ${order.join(', ')} LIMIT ?`;
      return `SELECT row_id, payload, due FROM (${search}) w${index}`;
    });
    parameters.push(limit);
    const sql = `${searches.join(' UNION ALL ')} ORDER BY due LIMIT ?`;
    const rows = (await this.query(manager, sql, parameters)) as { row_id: unknown; payload: unknown; due: unknown }[];
    return rows.map((row) => ({ id: String(row.row_id), payload: row.payload, due: this.timeOf(row.due) }));
  }

  /** Rows whose status is not a waiting one any more are left as they are: somebody else has decided about them. */
  async end(manager: EntityManager, status: string | number, rows: readonly OwnRowEnd[]): Promise<void> {
    if (rows.length > 0) await this.update(manager, [`${this.quote(this.mapping.columns.status)} = ?`], [status], rows);
  }

  /** Rows that will run again, where there is a column that tells. */
  async note(manager: EntityManager, rows: readonly OwnRowEnd[]): Promise<void> {
    const { attempts, error } = this.mapping.columns;
    if (attempts !== undefined || error !== undefined) await this.update(manager, [], [], rows);
  }

  private async update(
    manager: EntityManager,
    assignments: string[],
    parameters: Value[],
    rows: readonly OwnRowEnd[],
  ): Promise<void> {
    const { id, updated, attempts, error } = this.mapping.columns;
    const ids = rows.map((row) => this.idOf(row.id));
    if (attempts !== undefined) assignments.push(this.caseOf(attempts, rows, ({ attempt }) => attempt, parameters));
    if (error !== undefined)
      assignments.push(this.caseOf(error, rows, (row) => this.cut(error, row.error), parameters));
    if (updated !== undefined) assignments.push(`${this.quote(updated)} = ${this.now}`);
    parameters.push(...ids);
    const listed = ids.map(() => '?').join(', ');
    const waiting = this.mapping.waiting.map((status) => this.isStatus(status, parameters)).join(' OR ');
    const where = `${this.quote(id)} IN (${listed}) AND (${waiting})`;
    await this.query(manager, `UPDATE ${this.table} SET ${assignments.join(', ')} WHERE ${where}`, parameters);
  }

  /** A value for each row. The cast tells PostgreSQL what its parameters are. */
  private caseOf(
    column: string,
    rows: readonly OwnRowEnd[],
    valueOf: (row: OwnRowEnd) => Value,
    parameters: Value[],
  ): string {
    const type = this.facts.columns.get(column)?.kind === 'whole' ? 'bigint' : 'text';
    const cast = this.dialect.name === 'postgres' ? `::${type}` : '';
    const whens = rows.map((row) => {
      parameters.push(this.idOf(row.id), valueOf(row));
      return `WHEN ? THEN ?${cast}`;
    });
    return `${this.quote(column)} = CASE ${this.quote(this.mapping.columns.id)} ${whens.join(' ')} END`;
  }

  /** What is longer than the column, or what PostgreSQL cannot store, would keep the row's end from being written. */
  private cut(column: string, error: string | undefined): string | null {
    const length = this.facts.columns.get(column)?.length ?? LONGEST_ERROR;
    const text = error?.replaceAll('\0', '\u{fffd}').slice(0, Math.min(length, LONGEST_ERROR));
    return text === undefined ? null : Buffer.from(text).toString();
  }

  private isStatus(status: string | number | null, parameters: Value[]): string {
    const column = this.quote(this.mapping.columns.status);
    if (status === null) return `${column} IS NULL`;
    parameters.push(status);
    return `${column} = ?`;
  }

  private ofType(type: string | number, parameters: Value[]): string[] {
    const { type: column } = this.mapping.columns;
    if (column === undefined) return [];
    parameters.push(this.isWhole(column) ? Number(type) : String(type));
    return [`${this.quote(column)} = ?`];
  }

  private isDue(): string[] {
    const { due } = this.mapping.columns;
    return due === undefined ? [] : [`(${this.quote(due)} <= ${this.now} OR ${this.quote(due)} IS NULL)`];
  }

  /** Compared as one list: however many they are, each row is looked up in it once. */
  private isNot(exclude: ReadonlySet<string>, parameters: Value[]): string[] {
    if (exclude.size === 0) return [];
    const { id } = this.mapping.columns;
    const isWhole = this.isWhole(id);
    const listed = this.dialect.rows({ row_id: isWhole ? 'integer' : 'name' });
    parameters.push(JSON.stringify([...exclude].map((one) => ({ row_id: isWhole ? Number(one) : one }))));
    const own = isWhole ? this.field(id) : this.asText(id);
    return [`${own} NOT IN (SELECT v.row_id FROM ${listed} v WHERE v.row_id IS NOT NULL)`];
  }

  /** In the table's unit, as a whole number. */
  private get now(): string {
    const { unit } = this.mapping;
    if (unit === 1) return this.dialect.now;
    const isMySql = this.dialect.name === 'mariadb' || this.dialect.name === 'mysql';
    return `(${this.dialect.now} ${isMySql ? 'DIV' : '/'} ${unit})`;
  }

  private timeOf(due: unknown): number {
    return Number(due ?? 0) * this.mapping.unit;
  }

  private idOf(id: string): Value {
    return this.isWhole(this.mapping.columns.id) ? BigInt(id) : id;
  }

  private isWhole(column: string): boolean {
    return this.facts.columns.get(column)?.kind === 'whole';
  }

  private field(column: string | undefined): string {
    return column === undefined ? 'NULL' : `t.${this.quote(column)}`;
  }

  private asText(column: string): string {
    const type = this.dialect.name === 'mariadb' || this.dialect.name === 'mysql' ? 'CHAR' : 'TEXT';
    return `CAST(${this.field(column)} AS ${type})`;
  }

  private quote(name: string): string {
    const mark = this.dialect.name === 'mariadb' || this.dialect.name === 'mysql' ? '`' : '"';
    return `${mark}${name.replaceAll(mark, mark + mark)}${mark}`;
  }

  private query(manager: EntityManager, sql: string, parameters: readonly Value[]): Promise<unknown> {
    return manager.query(this.dialect.placeholders(sql), [...parameters]);
  }
}
