import type { FactoryProvider, InjectionToken, Provider, Type } from '@nestjs/common';

type Tokens = ReadonlyMap<unknown, InjectionToken>;
type Dependency = NonNullable<FactoryProvider['inject']>[number];

/** Where TypeScript and Nest keep what a class wants injected. */
const CONSTRUCTOR_TYPES = 'design:paramtypes';
const CONSTRUCTOR_TOKENS = 'self:paramtypes';
const CONSTRUCTOR_OPTIONALS = 'optional:paramtypes';
const PROPERTY_TOKENS = 'self:properties_metadata';

/**
 * The same providers under other tokens, which they also use among themselves. Nest looks a class up in whichever module comes
 * last (`app.get(JobQueue)`): for the unnamed module alone to answer, a named one must not know the class at all.
 */
export function scopeProviders(providers: readonly Provider[], tokens: Tokens): Provider[] {
  return providers.map((provider) => {
    if (typeof provider === 'function') {
      return { provide: tokens.get(provider) ?? provider, useClass: scopeClass(provider, tokens) };
    }
    const provide = tokens.get(provider.provide) ?? provider.provide;
    if ('useClass' in provider) return { ...provider, provide, useClass: scopeClass(provider.useClass, tokens) };
    if ('useFactory' in provider) {
      return { ...provider, provide, inject: (provider.inject ?? []).map((one) => scopeDependency(one, tokens)) };
    }
    if ('useExisting' in provider) {
      const existing = provider.useExisting as InjectionToken;
      return { provide, useExisting: tokens.get(existing) ?? existing };
    }
    return { ...provider, provide };
  });
}

function scopeDependency(dependency: Dependency, tokens: Tokens): Dependency {
  if (typeof dependency !== 'object' || !('token' in dependency)) return tokens.get(dependency) ?? dependency;
  return { ...dependency, token: tokens.get(dependency.token) ?? dependency.token };
}

/** A subclass, because what a class wants injected is written on the class, and other modules use that too. */
function scopeClass(type: Type<object>, tokens: Tokens): Type<object> {
  const scoped = class extends type {};
  Object.defineProperty(scoped, 'name', { value: type.name });
  const translate = (key: string, change: (entry: unknown) => unknown) => {
    const entries = Reflect.getMetadata(key, type) as unknown[] | undefined;
    if (entries !== undefined) Reflect.defineMetadata(key, entries.map(change), scoped);
  };
  translate(CONSTRUCTOR_TYPES, (token) => tokens.get(token) ?? token);
  translate(CONSTRUCTOR_TOKENS, (entry) => {
    const { index, param } = entry as { index: number; param: unknown };
    return { index, param: tokens.get(param) ?? param };
  });
  // Nest looks for them where it has found the types.
  translate(CONSTRUCTOR_OPTIONALS, (index) => index);
  translate(PROPERTY_TOKENS, (entry) => {
    const { key, type: token } = entry as { key: string; type: unknown };
    return { key, type: tokens.get(token) ?? token };
  });
  return scoped;
}
