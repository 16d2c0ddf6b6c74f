/**
 * A schema that is made when it is first used. Making them costs more than loading them, and most programs use a few: a worker never reads
 * events, a pool child no remote control.
 */
export function lazySchema<S>(make: () => S): () => S {
  let made: S | undefined;
  return () => (made ??= make());
}
