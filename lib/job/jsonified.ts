/**
 * What a value is after it has been stored: as JSON leaves it. A Date has become a string, a method is gone.
 *
 * @publicApi
 */
export type Jsonified<T> = T extends { toJSON(): infer J }
  ? J
  : T extends string | number | boolean | null
    ? T
    : T extends (...args: never[]) => unknown
      ? never
      : T extends object
        ? { [K in keyof T]: Jsonified<T[K]> }
        : T;
