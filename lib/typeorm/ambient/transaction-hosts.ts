import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

type Wrapper = ModulesContainer extends Map<string, { providers: Map<unknown, infer Found> }> ? Found : never;

/** The part of the `TransactionHost` of @nestjs-cls/transactional that is needed here. */
interface TransactionHost {
  readonly tx: unknown;
  isTransactionActive(): boolean;
}

/**
 * The `TransactionHost`s of @nestjs-cls/transactional, one for each of the application's connections. Found by their shape among the
 * application's providers: their names are known to nobody, and the library need not be installed.
 */
@Injectable()
export class TransactionHosts {
  private wrappers: readonly Wrapper[] = [];
  private searchedModules = 0;

  constructor(private readonly modules: ModulesContainer) {}

  /** What the open transactions hand to the application: an EntityManager, if the adapter is TypeORM's. */
  managers(): unknown[] {
    return this.hosts().flatMap((host) => (host.isTransactionActive() ? [host.tx] : []));
  }

  private hosts(): TransactionHost[] {
    // Each enqueue comes this way: the providers are searched again only when a module was loaded later.
    if (this.searchedModules !== this.modules.size) {
      this.wrappers = [...this.modules.values()].flatMap(({ providers }) => [...providers.values()].filter(isHost));
      this.searchedModules = this.modules.size;
    }
    return this.wrappers.map(({ instance }) => instance as TransactionHost | undefined).filter(isConstructed);
  }
}

function isHost({ metatype }: Wrapper): boolean {
  const prototype: unknown = typeof metatype === 'function' ? metatype.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) return false;
  return 'tx' in prototype && 'isTransactionActive' in prototype && 'withTransaction' in prototype;
}

/** Until it has called the constructor, Nest has an empty object of the class in its place. */
function isConstructed(host: TransactionHost | undefined): host is TransactionHost {
  return host !== undefined && host !== null && Object.keys(host).length > 0;
}
