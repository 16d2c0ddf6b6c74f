import * as z from "zod";

/**
 * What a setting is unless somebody says otherwise, and what checks what they say. A schema takes longer to make than to use, and an app sets
 * a few of a hundred settings: each schema is made when it is needed.
 */
export interface Setting<T> {
  /** Celery's default. A new one each time: lists and objects belong to the app that has them. */
  initial(): T;
  schema(): z.ZodType<T>;
}

export type Settings<T> = { readonly [K in keyof T]: Setting<T[K]> };

export function setting<T>(initial: T, schema: () => z.ZodType<T>): Setting<T> {
  const isShared = typeof initial === "object" && initial !== null;
  return { initial: () => (isShared ? structuredClone(initial) : initial), schema };
}

/** Where Celery's default is "not set". */
export function orNull<T>(schema: () => z.ZodType<T>): Setting<T | null> {
  return { initial: () => null, schema: () => schema().nullable() };
}

/** A setting that is an object of settings; what is not given in it has its default. */
export function group<T extends object>(settings: Settings<T>): Setting<T> {
  const each = <V>(value: (one: Setting<unknown>) => V): Record<string, V> =>
    Object.fromEntries(Object.entries<Setting<unknown>>(settings).map(([key, one]) => [key, value(one)]));
  return {
    initial: () => each((one) => one.initial()) as T,
    schema: () =>
      z.strictObject(each((one) => one.schema().default(() => one.initial()))) as unknown as z.ZodType<T>,
  };
}
