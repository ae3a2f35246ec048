/**
 * Where Nest keeps what its decorators say; its own constants are not exported. Parameters are kept where Nest keeps those of routes: it
 * makes instances only of the pipes that it finds there, and `createParamDecorator()` writes there.
 */
export const ROUTE_ARGUMENTS = '__routeArguments__';
export const CUSTOM_ARGUMENT = '__customRouteArgs__';
export const PIPES = '__pipes__';
const ENHANCERS = ['__guards__', '__interceptors__', '__exceptionFilters__', PIPES];

/** Whether anything of Nest's stands on the method, on its parameters or on one of its classes. */
export function isEnhanced(owners: readonly object[], method: string, callback: object): boolean {
  return (
    ENHANCERS.some((key) => isOnMethodOrClass(key, owners, callback)) ||
    owners.some((owner) => Reflect.hasMetadata(ROUTE_ARGUMENTS, owner, method))
  );
}

export function hasPipes(owners: readonly object[], callback: object): boolean {
  return isOnMethodOrClass(PIPES, owners, callback);
}

function isOnMethodOrClass(key: string, owners: readonly object[], callback: object): boolean {
  return Reflect.hasMetadata(key, callback) || owners.some((owner) => Reflect.hasMetadata(key, owner));
}
