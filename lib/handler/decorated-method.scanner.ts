import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

type ProviderWrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Class = new (...dependencies: never[]) => object;

export interface DecoratedClass<Metadata> {
  readonly metadata: Metadata;
  readonly class: Class;
}

export interface DecoratedMethod<Metadata> {
  readonly metadata: Metadata;
  readonly class: Class;
  readonly method: string;
  /** `undefined` when each job gets an instance of its own: a request-scoped provider or one that depends on such. */
  readonly instance: object | undefined;
  /** How Nest knows what the method is of. */
  readonly provider: ProviderWrapper;
}

/** Finds providers and controllers, and methods of theirs, that carry a metadata key, inherited ones included. */
@Injectable()
export class DecoratedMethodScanner {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly methods: MetadataScanner,
  ) {}

  scan<Metadata>(key: string): DecoratedMethod<Metadata>[] {
    const found = new Map<string, DecoratedMethod<Metadata>>();
    const identities = new Map<Class, number>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const owner = classOf(wrapper);
      if (owner === undefined) continue;
      if (!identities.has(owner)) identities.set(owner, identities.size);
      for (const decorated of this.methodsOf<Metadata>(wrapper, owner, key)) {
        // A class that two modules provide, or an alias (useExisting), is listed twice but is one handler.
        const identity = `${identities.get(owner)} ${decorated.method}`;
        if (!found.has(identity)) found.set(identity, decorated);
      }
    }
    return [...found.values()];
  }

  /** Each class once, however often it is provided. */
  scanClasses<Metadata>(key: string): DecoratedClass<Metadata>[] {
    const owners = [...this.discovery.getProviders(), ...this.discovery.getControllers()].map(classOf);
    return [...new Set(owners)].flatMap((owner) => {
      const metadata = owner && (Reflect.getMetadata(key, owner) as Metadata | undefined);
      return owner === undefined || metadata === undefined ? [] : [{ metadata, class: owner }];
    });
  }

  private methodsOf<Metadata>(wrapper: ProviderWrapper, owner: Class, key: string): DecoratedMethod<Metadata>[] {
    const prototype = owner.prototype as object;
    const instance =
      wrapper.isDependencyTreeStatic() && !wrapper.isTransient ? (wrapper.instance as object) : undefined;
    return this.methods.getAllMethodNames(prototype).flatMap((method) => {
      // From the prototype: the instance may be a placeholder, and reading it could run a getter.
      const metadata = Reflect.getMetadata(key, Reflect.get(prototype, method) as object) as Metadata | undefined;
      return metadata === undefined ? [] : [{ metadata, class: owner, method, instance, provider: wrapper }];
    });
  }
}

/** The class of the instance, where there is one: a factory's provider is filed under the factory, not under the class. */
function classOf(wrapper: ProviderWrapper): Class | undefined {
  const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
  const candidate: unknown =
    typeof instance === 'object' && instance !== null ? instance.constructor : wrapper.metatype;
  const isClass =
    typeof candidate === 'function' && typeof candidate.prototype === 'object' && candidate.prototype !== null;
  return isClass && candidate !== Object ? (candidate as Class) : undefined;
}
