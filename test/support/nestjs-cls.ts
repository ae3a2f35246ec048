import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as unknownDependencies from '@nestjs/core/errors/exceptions/unknown-dependencies.exception.js';
import * as injector from '@nestjs/core/injector/injector.js';

// For test/support/commonjs: read when these libraries are loaded, which must be later than this.
Object.assign(globalThis, {
  nestForCommonJs: { common, core, injector, 'unknown-dependencies': unknownDependencies },
});

export const { ClsInterceptor, ClsModule, ClsService } = await import('nestjs-cls');
export const { ClsPluginTransactional, Propagation, Transactional, TransactionHost } =
  await import('@nestjs-cls/transactional');
export const { TransactionalAdapterTypeOrm } = await import('@nestjs-cls/transactional-adapter-typeorm');
