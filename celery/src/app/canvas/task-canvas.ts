import type { GroupResult } from "../../backend/group-result.ts";
import type { ApplyOptions } from "../call-options.ts";
import type { CeleryApp } from "../types.ts";
import { chunksOf, mapOf, signatureOf } from "./primitives.ts";
import type { Signature, SignatureOptions } from "./signature.ts";

/** What a task has for putting calls together. @see celery 5.7.0 app/task.py */
export interface TaskCanvas<Result> {
  /** The call with these arguments, not made yet: `add.s(2, 2)`. What comes before it in a chain is put before them. */
  readonly s: (...args: readonly unknown[]) => Signature<Result>;
  /** As `s`, but it takes nothing from what comes before it. */
  readonly si: (...args: readonly unknown[]) => Signature<Result>;
  /** As `s`, with options: `add.signature([2, 2], { queue: "sums" })`. */
  readonly signature: (
    args?: readonly unknown[],
    options?: SignatureOptions & Pick<ApplyOptions, "kwargs">,
  ) => Signature<Result>;
  /** One message that calls the task once per item, one after the other; the result is the list of results. */
  readonly map: (items: Iterable<unknown>) => Signature<Result[]>;
  /** As `map`, with each item a list of arguments. */
  readonly starmap: (items: Iterable<readonly unknown[]>) => Signature<Result[]>;
  /** Groups of `n` calls in one message each, items as for `starmap`. */
  readonly chunks: (
    items: Iterable<readonly unknown[]>,
    n: number,
  ) => Signature<Result[][], GroupResult<Result[]>>;
}

/** As properties for `Object.defineProperties`. */
export function canvasOf(
  app: CeleryApp,
  name: string,
): { readonly [K in keyof TaskCanvas<unknown>]: { readonly value: TaskCanvas<unknown>[K] } } {
  return {
    s: { value: (...args) => signatureOf(app, name, args) },
    si: { value: (...args) => signatureOf(app, name, args, { immutable: true }) },
    signature: { value: (args = [], options = {}) => signatureOf(app, name, args, options) },
    map: { value: (items) => mapOf(app, "xmap", name, items) },
    starmap: { value: (items) => mapOf(app, "xstarmap", name, items) },
    chunks: { value: (items, n) => chunksOf(app, name, items, n) },
  };
}
