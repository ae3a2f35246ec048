import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { UsageError } from '../errors/usage.error.js';
import { messageOf } from '../support/message-of.js';

/** The options of the DataSource that a file exports, as TypeORM's own command line wants it: one, also as a promise. */
export async function readDataSourceFile(path: string): Promise<DataSourceOptions> {
  const file = resolve(path);
  if (/^\.[cm]?ts$/.test(extname(file)))
    throw new UsageError('--data-source is TypeScript', path, 'Give the compiled file, such as dist/data-source.js.');
  if (!existsSync(file)) throw new UsageError('--data-source names no file', path, 'Give the path of a .js file.');
  const found = await dataSourcesOf(await load(file, path));
  const [dataSource] = found;
  if (dataSource !== undefined && found.length === 1) return dataSource.options;
  const cure = 'Export one TypeORM DataSource from the file: export default new DataSource({ … }).';
  throw new UsageError(`--data-source exports ${found.length} DataSources`, path, cure);
}

async function load(file: string, path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object;
  } catch (error) {
    throw new UsageError('--data-source cannot be loaded', path, `It says: ${messageOf(error)}`, { cause: error });
  }
}

/** What CommonJS exports is also in the default export. */
async function dataSourcesOf(module: object): Promise<DataSource[]> {
  const exported: unknown[] = [];
  for (const each of Object.values(module)) {
    const value: unknown = await each;
    exported.push(value, ...(isPlainObject(value) ? Object.values(value) : []));
  }
  const values = await Promise.all(exported);
  return [...new Set(values.filter(isDataSource))];
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** By its shape: the file may have a TypeORM of its own. */
function isDataSource(value: unknown): value is DataSource {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'initialize') === 'function' && typeof Reflect.get(value, 'options') === 'object';
}
