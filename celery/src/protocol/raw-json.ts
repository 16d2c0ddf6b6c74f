/** JSON text to be written as it is, because it was encoded elsewhere. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A value that would be written otherwise than it came: Python's `2.0` is not its `2`, and a decimal is no text. Encoded it is what it was,
 * looked at it is what JavaScript makes of it.
 */
export class Verbatim extends RawJson {
  readonly value: unknown;

  constructor(text: string, value: unknown) {
    super(text);
    this.value = value;
  }

  toJSON(): unknown {
    return this.value;
  }
}

/** The same with plain values for whoever looks at them; the very same when there is nothing to replace. */
export function plainOf<T>(value: T): T {
  return replace(value) as T;
}

function replace(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Verbatim) return value.value;
  if (Array.isArray(value)) {
    const items = value.map(replace);
    return items.every((item, index) => Object.is(item, value[index])) ? value : items;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, inner, replace(inner)] as const);
  if (entries.every(([, inner, plain]) => Object.is(inner, plain))) return value;
  return Object.fromEntries(entries.map(([key, , plain]) => [key, plain]));
}
