import type { AsyncResult } from "../../backend/async-result.ts";
import { InvalidArgument } from "../../protocol/errors.ts";
import type { ApplyOptions } from "../call-options.ts";
import type { CeleryApp } from "../types.ts";
import { linkErrorTo, linkTo, pipe } from "./compose.ts";
import { applyCanvasEagerly } from "./eager-canvas.ts";
import { freeze } from "./freeze.ts";
import { toSigOptions } from "./options.ts";
import { toResult } from "./results.ts";
import { freezeDeps, sendCanvas } from "./send.ts";
import { cloneSig, isChord, isGroup, mergeArgs, type Sig } from "./sig.ts";
import { type Stamps, stamp } from "./stamp.ts";
import { toSig } from "./to-sig.ts";

/** Options that a signature can be given; `immutable: true` refuses the results of those before it. */
export type SignatureOptions = Omit<ApplyOptions, "kwargs"> & { readonly immutable?: boolean };

/** Anything that can stand where a signature is expected: ours, or Celery's dict. */
export type SignatureInput = Signature<unknown, unknown> | Sig | Readonly<Record<string, unknown>>;

/**
 * A call that has not been made yet: a task, its arguments and options; or a chain, group or chord of such. It can be sent, sent along as an
 * argument, and put together with others.
 *
 * `R` is what the call returns, `Receipt` what sending it gives.
 *
 * ```ts
 * await add.s(2, 2).pipe(mul.s(8)).delay(); // (2 + 2) * 8
 * ```
 *
 * @see celery 5.7.0 canvas.py, `Signature`
 */
export class Signature<R = unknown, Receipt = AsyncResult<R>> {
  /** Never set: it only tells the compiler what the call returns. */
  declare readonly returns?: R;
  readonly #sig: Sig;
  readonly #app: CeleryApp | undefined;

  /** @param sig Celery's dict, which this signature then owns. */
  constructor(sig: Sig, app: CeleryApp | undefined) {
    this.#sig = sig;
    this.#app = app;
  }

  get task(): string {
    return this.#sig.task;
  }

  get args(): readonly unknown[] {
    return this.#sig.args;
  }

  get kwargs(): Readonly<Record<string, unknown>> {
    return this.#sig.kwargs;
  }

  /** Under Celery's names: `task_id`, `link_error`, … */
  get options(): Readonly<Record<string, unknown>> {
    return this.#sig.options;
  }

  get immutable(): boolean {
    return this.#sig.immutable;
  }

  /** `chain`, `group`, `chord`, or null. */
  get subtaskType(): string | null {
    return this.#sig.subtask_type;
  }

  /** The id that it will have, once it is frozen. */
  get id(): string | undefined {
    return this.#sig.options.task_id;
  }

  /** The app it is sent with: of the task that it was made from. */
  get app(): CeleryApp | undefined {
    return this.#app;
  }

  /** Celery's dict. It is this signature, not a copy of it. */
  toJSON(): Sig {
    return this.#sig;
  }

  /** A copy, with `args` before its own and `kwargs` and `options` over its own. */
  clone(
    args: readonly unknown[] = [],
    kwargs: Readonly<Record<string, unknown>> = {},
    options: SignatureOptions = {},
  ): Signature<R, Receipt> {
    const { immutable, ...rest } = options;
    const copy = cloneSig(this.#sig, args, kwargs, toSigOptions(plainOptions(rest)));
    return new Signature<R, Receipt>(immutable === undefined ? copy : { ...copy, immutable }, this.#app);
  }

  /** Sets options, and `immutable`. */
  set({ immutable, ...options }: SignatureOptions): this {
    if (immutable !== undefined) setImmutable(this.#sig, immutable);
    Object.assign(this.#sig.options, toSigOptions(plainOptions(options)));
    return this;
  }

  /** Has `callback` started with the result when this has succeeded. Returns this signature. */
  link(callback: SignatureInput): this {
    linkTo(this.#sig, toSig(callback));
    return this;
  }

  /** Has `errback` called when this has failed. Returns this signature. */
  linkError(errback: SignatureInput): this {
    const onHeader = this.#app?.conf.task_allow_error_cb_on_chord_header ?? false;
    linkErrorTo(this.#sig, toSig(errback), onHeader);
    return this;
  }

  /** Marks it, and everything in it, with values that travel along as `request.stamps`. */
  stamp(stamps: Stamps): this {
    stamp(this.#sig, stamps);
    return this;
  }

  /** `this | other` of Celery: `other` gets the result of this. Groups become chords where something follows them. */
  pipe<S, T>(other: Signature<S, T>): Signature<S, T> {
    return new Signature<S, T>(pipe(this.#sig, other.#sig), this.#app ?? other.#app);
  }

  /** Gives it its id (and everything in it theirs), and returns the receipt that it will have. */
  freeze(id?: string): Receipt {
    const app = this.#boundTo();
    return toResult(app, freeze(this.#sig, { id }, freezeDeps(app))) as Receipt;
  }

  /** Sends it, with more arguments before its own. Settles when Redis has the messages. @throws as `applyAsync` */
  delay(...args: readonly unknown[]): Promise<Receipt> {
    return this.applyAsync(args);
  }

  /**
   * Sends it.
   *
   * @param args come before its own, unless it is immutable.
   * @throws OperationalError, InvalidArgument, EncodeError; NoResultBackend for a chord in an app that keeps no results.
   */
  async applyAsync(args: readonly unknown[] = [], options: ApplyOptions = {}): Promise<Receipt> {
    const app = this.#boundTo();
    const { kwargs, ...rest } = options;
    const sig = kwargs === undefined ? this.#sig : { ...this.#sig, ...mergeArgs(this.#sig, [], kwargs) };
    if (app.conf.task_always_eager) return (await applyCanvasEagerly(app, sig, args)) as Receipt;
    const receipt = await sendCanvas(app, sig, args, toSigOptions(plainOptions(rest)));
    if (receipt === null) throw new InvalidArgument("An empty chain cannot be sent.");
    return receipt as Receipt;
  }

  #boundTo(): CeleryApp {
    if (this.#app !== undefined) return this.#app;
    throw new InvalidArgument(
      `The signature of ${this.task} belongs to no app, so it cannot be sent. Make it with app.signature(…) or task.s(…).`,
    );
  }
}

/** Signatures among options, as they are on the wire. */
function plainOptions(options: Omit<ApplyOptions, "kwargs">): Omit<ApplyOptions, "kwargs"> {
  const { link, linkError } = options;
  if (link === undefined && linkError === undefined) return options;
  return {
    ...options,
    ...(link !== undefined && { link: toSigs(link) }),
    ...(linkError !== undefined && { linkError: toSigs(linkError) }),
  };
}

function toSigs(value: object | readonly object[]): readonly Sig[] {
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map(toSig);
}

function setImmutable(sig: Sig, immutable: boolean): void {
  if (isGroup(sig)) for (const task of sig.kwargs.tasks) setImmutable(task, immutable);
  else if (isChord(sig)) {
    const { header } = sig.kwargs;
    for (const task of Array.isArray(header) ? header : header.kwargs.tasks) setImmutable(task, immutable);
  } else sig.immutable = immutable;
}
