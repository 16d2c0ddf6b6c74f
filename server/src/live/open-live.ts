import { EventEmitter } from "node:events";
import { type Observer, openObserver } from "celery/observe";
import type { Facts } from "../checks/facts.ts";
import type { QueueView } from "../protocol/index.ts";
import { askHttp } from "./http-probe.ts";
import type { FileSource, Live, LiveEvents, LiveOptions } from "./live.ts";
import { ObservedState } from "./observed-state.ts";
import { Probes } from "./probes.ts";
import { parseStored, resultNews } from "./result-news.ts";

const SNAPSHOT_MS = 250;
const TELL_MS = 50;
/** Results that are read again in one round because their end was not heard of. */
const RECHECKED = 20;

/** Begins to observe; whether Redis answers is told by the events `up` and `down`. */
export function openLive(options: LiveOptions): Live {
  const live = new RedisLive(options);
  live.begin();
  return live;
}

class RedisLive implements Live {
  readonly events: EventEmitter<LiveEvents> = new EventEmitter();
  readonly #observer: Observer;
  readonly #state: ObservedState;
  readonly #probes: Probes;
  readonly #log: LiveOptions["log"];
  #watchers = 0;
  #hasLesson = false;
  #round: Promise<void> | undefined;
  #next: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LiveOptions) {
    this.#log = options.log;
    this.#observer = openObserver(options.redisUrl);
    const observer = this.#observer;
    this.#probes = new Probes(
      {
        get: (key) => observer.get(key),
        llen: (key) => observer.llen(key),
        exists: (key) => observer.exists(key),
        keys: async (pattern) => (await observer.keys(pattern)).length,
        http: askHttp,
      },
      () => performance.now(),
    );
    this.#state = new ObservedState({
      panes: options.panes,
      steps: options.steps,
      probes: this.#probes,
      changed: () => this.#soon(),
      now: () => Date.now(),
      monotonic: () => performance.now(),
    });
  }

  begin(): void {
    this.#observer.on("event", (event) => this.#state.onEvent(event));
    this.#observer.on("result", (meta) => this.#state.onResult(resultNews(meta, Date.now())));
    this.#observer.on("up", () => this.events.emit("up"));
    this.#observer.on("down", (error) => this.events.emit("down", error));
  }

  facts(): Facts {
    return this.#state.facts();
  }

  queueView(): QueueView {
    return this.#state.queueView();
  }

  enter(lesson: { readonly files: FileSource; readonly queues?: readonly string[] } | undefined): void {
    this.#hasLesson = lesson !== undefined;
    this.#probes.clear();
    this.#state.enter(lesson?.files, lesson?.queues ?? []);
    this.#schedule();
  }

  reset(): void {
    this.#probes.clear();
    this.#state.reset();
  }

  watch(): () => void {
    this.#watchers += 1;
    this.#schedule();
    let isWatching = true;
    return () => {
      if (isWatching) this.#watchers -= 1;
      isWatching = false;
    };
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#look(true), aborted(signal)]);
  }

  seen(): { readonly taskIds: readonly string[]; readonly queues: readonly string[] } {
    return this.#state.seen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#next);
    clearTimeout(this.#telling);
    this.#state.close();
    await this.#observer[Symbol.asyncDispose]();
    await this.#round;
  }

  #schedule(): void {
    if (this.#closed || this.#next !== undefined || (this.#watchers === 0 && !this.#hasLesson)) return;
    this.#next = setTimeout(() => {
      this.#round = this.#look(false)
        .catch((error: unknown) => this.#log.debug({ err: error }, "could not look at Redis")) // It is away; "down" says so.
        .finally(() => {
          this.#next = undefined;
          this.#schedule();
        });
    }, SNAPSHOT_MS);
  }

  async #look(everything: boolean): Promise<void> {
    const state = this.#state;
    const epoch = state.epoch;
    const counts = await this.#observer.snapshot(state.queueNames());
    if (epoch === state.epoch) state.onCounts(counts);
    await this.#recheck();
    if (await this.#probes.refresh(everything)) this.#soon();
    if (state.prune()) this.#soon();
  }

  /** Pub/sub has no memory: what was stored while we were not listening is read here. */
  async #recheck(): Promise<void> {
    const tasks = this.#state.openTasks(RECHECKED);
    const stored = await Promise.all(tasks.map(({ id }) => this.#observer.get(`celery-task-meta-${id}`)));
    for (const [index, task] of tasks.entries()) {
      const meta = parseStored(stored[index] ?? "");
      if (meta !== undefined) this.#state.onStored(resultNews(meta, Date.now(), { isNotice: false }), task);
    }
  }

  #soon(): void {
    if (this.#closed) return;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.events.emit("changed");
    }, TELL_MS);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
