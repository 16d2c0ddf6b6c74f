import type { AsyncResult } from "../../backend/async-result.ts";
import type { GroupResult } from "../../backend/group-result.ts";
import type { ApplyOptions } from "../call-options.ts";
import type { CeleryApp } from "../types.ts";
import { foldChain } from "./compose.ts";
import { makeChord, makeChunks, makeGroup, makeMap, makeSig, type Sig } from "./sig.ts";
import { Signature, type SignatureInput, type SignatureOptions } from "./signature.ts";
import { toSig } from "./to-sig.ts";

/** What a signature returns. */
export type ResultOf<S> = S extends Signature<infer R, infer _Receipt> ? R : unknown;
type ReceiptOf<S> = S extends Signature<infer _R, infer Receipt> ? Receipt : AsyncResult<unknown>;
type Last<T extends readonly unknown[]> = T extends readonly [...infer _Before, infer L] ? L : T[number];
type AnySignature = Signature<unknown, unknown>;

/**
 * One after the other, each with the result of the one before. A group followed by something becomes a chord, as in Celery.
 *
 * ```ts
 * const result = await chain(add.s(2, 2), mul.s(8)).delay();
 * ```
 *
 * @see celery 5.7.0 canvas.py, `chain`
 */
export function chain<const T extends readonly AnySignature[]>(
  ...tasks: T | readonly [T]
): Signature<ResultOf<Last<T>>, ReceiptOf<Last<T>>> {
  const all = flat<AnySignature>(tasks);
  return new Signature(foldChain(all.map(toSig)), appOf(all));
}

/**
 * All at once. Its result is the list of results, in the order given.
 *
 * ```ts
 * const result = await group(add.s(1, 1), add.s(2, 2)).delay();
 * await result.get(); // [2, 4]
 * ```
 *
 * @see celery 5.7.0 canvas.py, `group`
 */
export function group<const T extends readonly AnySignature[]>(
  ...tasks: T | readonly [T]
): Signature<ResultOf<T[number]>[], GroupResult<ResultOf<T[number]>>> {
  const all = flat<AnySignature>(tasks);
  const only = all.length === 1 ? toSig(all[0]) : undefined;
  const sigs = only?.subtask_type === "group" ? (only.kwargs["tasks"] as Sig[]) : all.map(toSig);
  return new Signature(makeGroup(sigs), appOf(all));
}

/** A header that waits for its body. */
export type ChordHeader = <R, Receipt>(
  body: Signature<R, Receipt>,
  options?: ApplyOptions,
) => Promise<Receipt>;

/**
 * The body gets the list of the header's results once all of them are there. When one of the header fails, the body fails with `ChordError`.
 * Needs a result backend.
 *
 * ```ts
 * const result = await chord([add.s(1, 1), add.s(2, 2)], sum.s()).delay();
 * const same = await chord([add.s(1, 1), add.s(2, 2)])(sum.s());
 * ```
 *
 * @see celery 5.7.0 canvas.py, `chord`
 */
export function chord<R, Receipt>(
  header: readonly AnySignature[] | AnySignature,
  body: Signature<R, Receipt>,
): Signature<R, Receipt>;
export function chord(header: readonly AnySignature[] | AnySignature): ChordHeader;
export function chord<R, Receipt>(
  header: readonly AnySignature[] | AnySignature,
  body?: Signature<R, Receipt>,
): Signature<R, Receipt> | ChordHeader {
  const members: readonly AnySignature[] = Array.isArray(header)
    ? (header as readonly AnySignature[])
    : [header as AnySignature];
  const sigs = Array.isArray(header) ? members.map(toSig) : toSig(header);
  const make = <S, T>(given: Signature<S, T>): Signature<S, T> =>
    new Signature<S, T>(makeChord(sigs, toSig(given)), appOf([...members, given]));
  if (body !== undefined) return make(body);
  return (given, options) => make(given).applyAsync([], options);
}

/**
 * A signature of a task by name, or of Celery's dict. Without an app it can be a part of others, but not be sent by itself:
 * that is what `app.signature` is for.
 */
export function signature<R = unknown>(
  task: string | SignatureInput,
  args: readonly unknown[] = [],
  options: SignatureOptions & Pick<ApplyOptions, "kwargs"> = {},
): Signature<R> {
  return signatureOf<R>(undefined, task, args, options);
}

export function signatureOf<R>(
  app: CeleryApp | undefined,
  task: string | SignatureInput,
  args: readonly unknown[] = [],
  options: SignatureOptions & Pick<ApplyOptions, "kwargs"> = {},
): Signature<R> {
  if (task instanceof Signature) {
    return new Signature<R>(task.clone().toJSON(), task.app ?? app);
  }
  if (typeof task !== "string") return new Signature<R>(toSig(task), app);
  const { kwargs = {}, immutable = false, ...rest } = options;
  const sig = makeSig(task, { args, kwargs: { ...kwargs }, immutable, options: {} });
  return new Signature<R>(sig, app).set(rest);
}

/** `task.map`, `task.starmap`: one message, which runs the task once per item, one after the other. */
export function mapOf<R>(
  app: CeleryApp,
  kind: "xmap" | "xstarmap",
  task: string,
  it: Iterable<unknown>,
): Signature<R[]> {
  return new Signature<R[]>(makeMap(kind, makeSig(task), [...it]), app);
}

/** `task.chunks`: a group of starmaps over `n` items each. */
export function chunksOf<R>(
  app: CeleryApp,
  task: string,
  it: Iterable<unknown>,
  n: number,
): Signature<R[][], GroupResult<R[]>> {
  if (!Number.isInteger(n) || n < 1)
    throw new RangeError(`chunks of ${n}: a whole number above 0 is expected.`);
  return new Signature<R[][], GroupResult<R[]>>(makeChunks(makeSig(task), [...it], n), app);
}

function flat<T>(tasks: readonly (T | readonly T[])[]): T[] {
  const [first] = tasks;
  return (tasks.length === 1 && Array.isArray(first) ? [...(first as readonly T[])] : [...tasks]) as T[];
}

function appOf(signatures: readonly AnySignature[]): CeleryApp | undefined {
  return signatures.find(({ app }) => app !== undefined)?.app;
}
