import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { ResolvedOptions } from '../options/resolved-options.js';

/**
 * The application's DataSource, looked up when it is first needed: its name is an option, and options may come from a factory,
 * so that it cannot be a constructor's parameter.
 */
@Injectable()
export class ApplicationDataSource {
  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly options: ResolvedOptions,
  ) {}

  get(): DataSource {
    const dataSource = this.find();
    if (dataSource !== undefined) return dataSource;
    const { dataSource: name } = this.options;
    const cure = `Import TypeOrmModule.forRoot({ ${name === undefined ? '' : `name: '${name}', `}… }), or name another DataSource.`;
    throw new InvalidOptionError('PersistentQueueModule.forRoot().dataSource', name ?? 'the default DataSource', cure);
  }

  /** `undefined` when there is none: an application may have a JobRepository of its own instead. */
  find(): DataSource | undefined {
    try {
      return this.moduleRef.get<DataSource>(getDataSourceToken(this.options.dataSource), { strict: false });
    } catch {
      return undefined;
    }
  }
}
