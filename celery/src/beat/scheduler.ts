import type { Entry } from "./entry.ts";
import { type DueRules, type DueState, dueState } from "./schedule.ts";

/** What to do now: send one entry, or wait. */
export type Tick =
  | { readonly kind: "due"; readonly entry: Entry; readonly dueAtMs: number }
  | { readonly kind: "wait"; readonly ms: number };

export interface SchedulerOptions {
  readonly rules: DueRules;
  readonly maxIntervalMs: number;
  /** Hears of an entry whose schedule throws; its turn comes again after the longest interval. */
  readonly onFault: (entry: Entry, error: unknown) => void;
}

interface Turn {
  readonly atMs: number;
  readonly name: string;
}

/**
 * Decides which entry runs next. Holds the schedule and the time, does nothing itself: the caller sends what is due and reports
 * back, so that a send that fails leaves the entry due.
 *
 * @see celery 5.7.0 beat.py, `Scheduler.tick`
 */
export class Scheduler {
  readonly #entries: Map<string, Entry>;
  readonly #options: SchedulerOptions;
  /** Sorted by time; as short as the schedule, so that inserting is cheaper than a heap is long to read. */
  readonly #turns: Turn[] = [];

  constructor(entries: readonly Entry[], nowMs: number, options: SchedulerOptions) {
    this.#options = options;
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    for (const entry of entries) this.#enqueue(entry, nowMs);
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** At most one entry is due at a time; ask again after {@link advance}. */
  tick(nowMs: number): Tick {
    const turn = this.#turns[0];
    if (turn === undefined) return { kind: "wait", ms: this.#options.maxIntervalMs };
    if (turn.atMs > nowMs) return this.#waitUntil(turn.atMs, nowMs);
    const entry = this.#entries.get(turn.name) as Entry;
    const state = this.#stateOf(entry, nowMs);
    if (state.isDue) return { kind: "due", entry, dueAtMs: state.dueAtMs };
    // A run missed by more than the starting deadline: not made up for, so its turn is the next one.
    this.#turns.shift();
    this.#insert({ atMs: state.dueAtMs, name: entry.name });
    return this.tick(nowMs);
  }

  /**
   * Notes that an entry was sent.
   *
   * @param sentAtMs becomes its last run: a late Beat is late for one run, not for all that follow.
   * @param counted false if it was somebody else who sent it.
   */
  advance(name: string, sentAtMs: number, counted = true): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    const next = { ...entry, lastRunAtMs: sentAtMs, totalRunCount: entry.totalRunCount + (counted ? 1 : 0) };
    this.#entries.set(name, next);
    this.#turns.splice(0, this.#turns.length, ...this.#turns.filter((turn) => turn.name !== name));
    this.#enqueue(next, sentAtMs);
  }

  #waitUntil(atMs: number, nowMs: number): Tick {
    return { kind: "wait", ms: Math.min(atMs - nowMs, this.#options.maxIntervalMs) };
  }

  /** A schedule may be anybody's code, and one that throws must not stop the others. @see celery 5.7.0 beat.py, `_is_due_failed` */
  #stateOf(entry: Entry, nowMs: number): DueState {
    try {
      return dueState(entry.schedule, entry.lastRunAtMs, nowMs, this.#options.rules);
    } catch (error) {
      this.#options.onFault(entry, error);
      return { isDue: false, dueAtMs: nowMs + this.#options.maxIntervalMs };
    }
  }

  #enqueue(entry: Entry, nowMs: number): void {
    const { isDue, dueAtMs } = this.#stateOf(entry, nowMs);
    this.#insert({ atMs: isDue ? nowMs : dueAtMs, name: entry.name });
  }

  #insert(turn: Turn): void {
    const at = this.#turns.findIndex((other) => other.atMs > turn.atMs);
    this.#turns.splice(at < 0 ? this.#turns.length : at, 0, turn);
  }
}
