import { CeleryError, OperationalError } from "../protocol/errors.ts";
import type { BeatLock, DueMessage } from "../redis/lock.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { sleep } from "../runtime/sleep.ts";

import type { ConfiguredEntry, Entry } from "./entry.ts";
import { evaluateArguments } from "./lazy.ts";
import { type DueRules, humanizeSeconds } from "./schedule.ts";
import type { LoadedSchedule } from "./schedule-store.ts";
import { Scheduler } from "./scheduler.ts";

/** A task message ready to go. */
export interface PreparedTask {
  readonly id: string;
  readonly message: DueMessage;
  /** To be called when it is in its queue: tells the world (`task-sent`). */
  announce(): Promise<void>;
}

export interface BeatDeps {
  readonly lock: BeatLock;
  readonly store: {
    readonly path: string;
    load(configured: readonly ConfiguredEntry[], nowMs: number): Promise<LoadedSchedule>;
    save(entries: readonly Entry[]): Promise<void>;
  };
  /** Builds the message of an entry; throws a CeleryError when it cannot be sent (arguments that are no JSON). */
  readonly prepare: (entry: Entry) => PreparedTask;
  readonly clock: Clock;
  readonly log: Log;
}

export interface BeatOptions {
  readonly entries: readonly ConfiguredEntry[];
  readonly rules: DueRules;
  readonly maxIntervalMs: number;
  /** `beat_sync_every`: save after this many sends; 0 is by time only. */
  readonly syncEvery: number;
}

/** @see celery 5.7.0 beat.py, `Scheduler.sync_every` */
const SYNC_EVERY_MS = 180_000;
const LONGEST_RETRY_SECONDS = 32;
/** Clocks of two machines may differ so much, and a clock may be set back so far, without a word about it. */
const TOLERATED_SKEW_MS = 60_000;
/** The last moment that a Date can be. */
const LATEST_DATE_MS = 8.64e15;

/**
 * Sends what is due, for as long as it holds the lock; waits for the lock otherwise. State is written to the schedule file after the
 * first turn, every three minutes and at the end.
 *
 * @see celery 5.7.0 beat.py, `Service` – which has no lock: two of them send everything twice
 */
export class Beat {
  readonly #deps: BeatDeps;
  readonly #options: BeatOptions;
  #lookedAtMs: number;

  constructor(deps: BeatDeps, options: BeatOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#lookedAtMs = deps.clock.monotonicMs();
  }

  /** Milliseconds since it last looked at its schedule, or at the lock that it waits for. Long is a sign that it is stuck. */
  idleMs(): number {
    return this.#deps.clock.monotonicMs() - this.#lookedAtMs;
  }

  /** Until `signal` aborts. While Redis is away it says so and tries again. */
  async run(signal: AbortSignal): Promise<void> {
    const { lock, log } = this.#deps;
    log.info({}, "beat: Starting...");
    for (let failures = 0; !signal.aborted; ) {
      try {
        const turn = await this.#waitForTurn(signal);
        failures = 0;
        if (turn) await this.#lead(turn, signal);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        failures += 1;
        const seconds = Math.min(failures * 2, LONGEST_RETRY_SECONDS);
        log.error(
          {},
          `beat: Connection error: ${error.message} Trying again in ${seconds.toFixed(1)} seconds...`,
        );
        await sleep(seconds * 1000, signal);
      }
    }
    await this.#quietly(() => lock.release());
  }

  /** @returns undefined only after an abort. */
  async #waitForTurn(signal: AbortSignal): Promise<{ readonly waited: boolean } | undefined> {
    const { lock, log } = this.#deps;
    const pollMs = this.#deps.lock.ttlMs / 10;
    for (let waited = false; !signal.aborted; waited = true) {
      const attempt = await lock.acquire();
      this.#lookedAtMs = this.#deps.clock.monotonicMs();
      if (attempt.won) {
        if (waited) log.warn({}, "beat: The other Beat is gone: this one sends from now on.");
        return { waited };
      }
      if (!waited) log.warn({}, waitingText(attempt.holder, this.#deps.lock.ttlMs));
      await sleep(Math.min(pollMs, attempt.expiresInMs + 1), signal);
    }
    return undefined;
  }

  async #lead(turn: { readonly waited: boolean }, signal: AbortSignal): Promise<void> {
    const scheduler = await this.#openSchedule(turn);
    const { clock } = this.#deps;
    const synced = { atMs: -Infinity, sends: 0 };
    let renewAtMs = 0;
    const wasSetBack = watchClock(clock);
    try {
      while (!signal.aborted) {
        // What was sent by the old time lies ahead now: the schedule is read anew.
        if (wasSetBack()) return;
        if (clock.monotonicMs() >= renewAtMs) {
          if (!(await this.#renew())) return;
          renewAtMs = clock.monotonicMs() + this.#deps.lock.ttlMs / 3;
        }
        const tick = scheduler.tick(clock.nowMs());
        this.#lookedAtMs = clock.monotonicMs();
        if (tick.kind === "due") {
          if (!(await this.#send(scheduler, tick.entry, tick.dueAtMs))) return;
          synced.sends += 1;
        }
        if (this.#shouldSync(synced)) await this.#sync(scheduler, synced);
        if (tick.kind === "wait") await this.#sleep(tick.ms, renewAtMs, signal);
      }
    } finally {
      await this.#sync(scheduler, synced);
    }
  }

  async #openSchedule(turn: { readonly waited: boolean }): Promise<Scheduler> {
    const { store, lock, clock, log } = this.#deps;
    const { entries: configured, rules, maxIntervalMs } = this.#options;
    const nowMs = clock.nowMs();
    const loaded = await store.load(configured, nowMs);
    for (const warning of loaded.warnings) log.warn({}, warning);
    const sent = await lock.lastSent();
    const entries = await this.#notAhead(catchUp(loaded, sent, turn.waited), sent, nowMs);
    const onFault = (entry: Entry, error: unknown): void =>
      log.error(
        { error: error as Error },
        `beat: Cannot calculate the next run of ${entry.name} (${String(error)}), trying again in ${humanizeSeconds(maxIntervalMs / 1000)}.`,
      );
    return new Scheduler(entries, nowMs, { rules, maxIntervalMs, onFault });
  }

  /**
   * An entry that was sent by a clock that was ahead counts from now: it would not be sent until its last run has come. Celery waits.
   */
  async #notAhead(
    entries: readonly Entry[],
    sent: ReadonlyMap<string, number>,
    nowMs: number,
  ): Promise<readonly Entry[]> {
    const { lock, log } = this.#deps;
    const lastOf = ({ name, lastRunAtMs }: Entry): number => Math.max(lastRunAtMs, sent.get(name) ?? 0);
    const ahead = new Set(entries.filter((entry) => lastOf(entry) > nowMs + TOLERATED_SKEW_MS));
    if (ahead.size === 0) return entries;
    log.warn({}, aheadText([...ahead], Math.max(...[...ahead].map(lastOf))));
    // Else what is due would pass for sent already.
    await lock.noteSent(
      new Map([...ahead].filter(({ name }) => sent.has(name)).map(({ name }) => [name, nowMs])),
    );
    return entries.map((entry) => (ahead.has(entry) ? { ...entry, lastRunAtMs: nowMs } : entry));
  }

  async #renew(): Promise<boolean> {
    if ((await this.#deps.lock.acquire()).won) return true;
    this.#deps.log.warn({}, "beat: Another Beat has taken the lock while this one was not looking.");
    return false;
  }

  /** @returns false when the lock is lost. */
  async #send(scheduler: Scheduler, entry: Entry, dueAtMs: number): Promise<boolean> {
    const { log, lock, clock } = this.#deps;
    const prepared = this.#prepare(entry);
    const sentAtMs = clock.nowMs();
    if (prepared === undefined) {
      scheduler.advance(entry.name, sentAtMs);
      return true;
    }
    const done = await lock.publish({ entry: entry.name, dueAtMs, sentAtMs }, prepared.message);
    switch (done.outcome) {
      case "fenced":
        log.warn({}, `beat: ${entry.name} was not sent: ${done.holder} has the lock now.`);
        return false;
      case "duplicate":
        log.info(
          {},
          `Scheduler: ${entry.name} was already sent at ${new Date(done.sentAtMs).toISOString()}, not again.`,
        );
        scheduler.advance(entry.name, done.sentAtMs, false);
        return true;
      case "refused":
        log.error({}, `Message Error: Couldn't apply scheduled task ${entry.name}: ${done.reason}`);
        scheduler.advance(entry.name, sentAtMs);
        return true;
      case "sent":
        log.info({}, `Scheduler: Sending due task ${entry.name} (${entry.task})`);
        scheduler.advance(entry.name, sentAtMs);
        await this.#quietly(() => prepared.announce());
        log.debug({}, `${entry.task} sent. id->${prepared.id}`);
        return true;
    }
  }

  /** An entry that cannot be sent is skipped until its next time, or it would be tried without pause. */
  #prepare(entry: Entry): PreparedTask | undefined {
    try {
      return this.#deps.prepare(evaluateArguments(entry));
    } catch (error) {
      // Whatever it is: a lazy argument is anybody's code, and one entry must not stop the others.
      const text = error instanceof CeleryError ? error.message : String(error);
      this.#deps.log.error(
        { error: error as Error },
        `Message Error: Couldn't apply scheduled task ${entry.name}: ${text}`,
      );
      return undefined;
    }
  }

  async #sleep(ms: number, renewAtMs: number, signal: AbortSignal): Promise<void> {
    this.#deps.log.debug(
      {},
      ms > 0 ? `beat: Waking up in ${(ms / 1000).toFixed(2)} seconds.` : "beat: Waking up now.",
    );
    await sleep(Math.max(1, Math.min(ms, renewAtMs - this.#deps.clock.monotonicMs())), signal);
  }

  #shouldSync(synced: { readonly atMs: number; readonly sends: number }): boolean {
    if (this.#deps.clock.monotonicMs() - synced.atMs >= SYNC_EVERY_MS) return true;
    return this.#options.syncEvery > 0 && synced.sends >= this.#options.syncEvery;
  }

  /** A file that cannot be written must not stop the clock; it says what will be forgotten. */
  async #sync(scheduler: Scheduler, synced: { atMs: number; sends: number }): Promise<void> {
    const { store, log, clock } = this.#deps;
    log.debug({}, "beat: Synchronizing schedule...");
    try {
      await store.save(scheduler.entries);
    } catch (error) {
      log.error(
        {},
        `beat: Cannot write the schedule file '${store.path}': ${(error as Error).message}. Intervals will count anew after a restart.`,
      );
    }
    synced.atMs = clock.monotonicMs();
    synced.sends = 0;
  }

  /** For what is a courtesy to others: when Redis is away it does not matter any more. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.debug({ error: error as Error }, "beat: Redis is away");
    }
  }
}

/** @returns whether the time of day was set back since: it has gone on by less than the time that has passed. */
function watchClock(clock: Clock): () => boolean {
  const offsetMs = (): number => clock.nowMs() - clock.monotonicMs();
  const before = offsetMs();
  return () => offsetMs() < before - TOLERATED_SKEW_MS;
}

function aheadText(entries: readonly Entry[], latestMs: number): string {
  const names = entries.map(({ name }) => name).join(", ");
  const latest = new Date(Math.min(latestMs, LATEST_DATE_MS)).toISOString();
  return `beat: The last run of ${names} lies in the future (${latest}): a clock was ahead. Counting from now.`;
}

function waitingText(holder: string, ttlMs: number): string {
  return (
    `beat: Another Beat is running (${holder}), so this one waits and sends nothing. ` +
    `It takes over within ${Math.ceil(ttlMs / 1000)} seconds when the other one stops or dies.`
  );
}

/**
 * The file may be up to three minutes behind what was really sent; the broker's own note is not. A Beat that took over from another
 * one believes the note also for entries that its own file has never seen.
 */
function catchUp(
  loaded: LoadedSchedule,
  lastSent: ReadonlyMap<string, number>,
  tookOver: boolean,
): readonly Entry[] {
  return loaded.entries.map((entry) => {
    const sentAtMs = lastSent.get(entry.name);
    if (sentAtMs === undefined) return entry;
    if (!loaded.remembered.has(entry.name)) return tookOver ? { ...entry, lastRunAtMs: sentAtMs } : entry;
    return { ...entry, lastRunAtMs: Math.max(entry.lastRunAtMs, sentAtMs) };
  });
}
