import type { ResultMark } from "./backend.ts";

/** How much is kept, and for how long. */
export interface RecentLimits {
  readonly count: number;
  /** Of all texts together. */
  readonly characters: number;
  readonly ms: number;
}

interface Recent {
  /** `undefined`: too long to be kept, so it is to be read. */
  readonly text: string | undefined;
  /** Number of the message. */
  readonly order: number;
  readonly atMs: number;
}

/** A text that takes more than this part of all the room is not kept. */
const LARGEST_PART = 64;
/** What goes when there is no room left: an eighth at once, because each time begins with a walk over what is gone already. */
const KEPT_PART = 7 / 8;
/** Messages that nobody wants cost less than subscribing for each one that somebody does: so many of them are fair for each of these. */
const FAIR = 16;

/**
 * The latest text of each result that was heard of in the last seconds. It answers a `get` that comes after its result
 * without a read, and tells whether one that finds nothing here has missed anything.
 *
 * That is told by marks. A mark is a moment in the order of the messages, and good for one id and one question: what was heard of
 * the id since then is here, or `find` says that it may have been and is not any more. Whoever asks hears by himself what comes next: the
 * mark is used up, and for its id nothing needs to be kept any more.
 */
export class RecentResults {
  readonly #limits: RecentLimits;
  readonly #nowMs: () => number;
  /** The oldest message first. */
  readonly #byKey = new Map<string, Recent>();
  #characters = 0;
  /** Number of the last message. */
  #last = 0;
  /** Up to this one messages may have been missed, or are not kept any more. */
  #goneUpTo = 0;
  #sweepAtMs = 0;
  #unwanted = 0;

  constructor(limits: RecentLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Now, in the order of the messages. */
  mark(): ResultMark {
    return { of: this, order: this.#last, isUsed: false };
  }

  /** Messages beyond what is fair that nobody has asked for, until they were dropped. */
  get wasted(): number {
    return this.#unwanted;
  }

  /** A message that somebody has waited for. */
  countWanted(): void {
    this.#unwanted = Math.max(0, this.#unwanted - FAIR);
  }

  add(key: string, text: string): void {
    const before = this.#byKey.get(key);
    if (before !== undefined) this.#drop(key, before);
    const nowMs = this.#nowMs();
    const { characters, count } = this.#limits;
    const isKept = text.length <= characters / LARGEST_PART;
    this.#last += 1;
    this.#byKey.set(key, { text: isKept ? text : undefined, order: this.#last, atMs: nowMs });
    this.#characters += key.length + (isKept ? text.length : 0);
    if (this.#byKey.size > count || this.#characters > characters || nowMs >= this.#sweepAtMs) {
      this.#evict(nowMs);
    }
  }

  /**
   * What was heard of this key.
   *
   * @param mark of a moment before its id was made; it is used up.
   * @returns `null`: nothing has come. `undefined`: not known here, so it is to be read.
   */
  find(key: string, mark: ResultMark | undefined): string | null | undefined {
    if (mark?.of !== this || mark.isUsed) return undefined;
    mark.isUsed = true;
    const recent = this.#byKey.get(key);
    if (recent === undefined) return mark.order < this.#goneUpTo ? undefined : null;
    this.#drop(key, recent);
    this.countWanted();
    return this.#isOld(recent, this.#nowMs()) ? undefined : recent.text;
  }

  /** It is not stored any more. */
  forget(key: string): void {
    const recent = this.#byKey.get(key);
    if (recent !== undefined) this.#drop(key, recent);
  }

  /** What comes next follows a gap: no mark of before holds. */
  gap(): void {
    this.#last += 1;
    this.#goneUpTo = this.#last;
    this.#byKey.clear();
    this.#characters = 0;
    this.#unwanted = 0;
  }

  #evict(nowMs: number): void {
    const { characters, count, ms } = this.#limits;
    for (const [key, recent] of this.#byKey) {
      const isRoomy = this.#byKey.size <= count * KEPT_PART && this.#characters <= characters * KEPT_PART;
      if (isRoomy && !this.#isOld(recent, nowMs)) break;
      this.#drop(key, recent);
      this.#goneUpTo = recent.order;
      this.#unwanted += 1;
    }
    this.#sweepAtMs = nowMs + ms / 4;
  }

  #drop(key: string, { text = "" }: Recent): void {
    this.#byKey.delete(key);
    this.#characters -= key.length + text.length;
  }

  #isOld({ atMs }: Recent, nowMs: number): boolean {
    return nowMs - atMs > this.#limits.ms;
  }
}
