import type { Worker } from "node:worker_threads";
import type { Log } from "../runtime/log.ts";
import { MachineClock } from "../runtime/machine-clock.ts";
import { startThread } from "../runtime/thread.ts";
import type { ClaimIds } from "./claim-ids.ts";
import { HeldTable } from "./held-table.ts";

/** What the main thread says to the heartbeat thread. */
export type ToHeartbeat =
  | { readonly type: "table"; readonly held: SharedArrayBuffer }
  | { readonly type: "stop" };

/** What it says back. */
export type FromHeartbeat =
  | { readonly type: "lost"; readonly claimIds: readonly string[] }
  /** `sentAt`: `process.hrtime` in nanoseconds, which all threads share. */
  | { readonly type: "beat"; readonly sentAt: bigint };

export interface HeartbeatSettings {
  readonly url: string;
  readonly workerId: string;
  readonly ttlMs: number;
}

export interface HeartbeatData extends HeartbeatSettings {
  readonly idPrefix: string;
  /** Numbers of the claims held: a `HeldTable`'s buffer. */
  readonly held: SharedArrayBuffer;
}

export interface HeartbeatDeps extends HeartbeatSettings {
  readonly ids: ClaimIds;
  readonly log: Log;
  /** A beat from this thread, for as long as the other one is starting. */
  beat(): Promise<unknown>;
  /** Claims that Redis no longer has. Some may have ended meanwhile. */
  onLost(claimIds: readonly string[]): void;
}

/**
 * The worker's sign of life, sent by a thread with a connection of its own: learner code that keeps the main thread
 * busy must not cost the worker its claims.
 */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #held = new HeldTable();
  /** When Redis last took a sign of life, as `process.hrtime` counts, in milliseconds. */
  #provenAtMs = 0;
  readonly #clock = new MachineClock();
  #thread: Worker;
  #stopping = false;

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
    this.#thread = this.#start();
    this.#bridge();
  }

  /** True when Redis took a sign of life so short a time ago that nobody can have taken our claims since. */
  get isFresh(): boolean {
    const ageMs = this.#clock.nowMs() - this.#provenAtMs;
    return ageMs < this.#deps.ttlMs * 0.8;
  }

  add(claimIds: readonly string[]): void {
    for (const id of claimIds) {
      const number = this.#deps.ids.numberOf(id);
      if (number === undefined || !this.#held.add(number)) continue;
      this.#post({ type: "table", held: this.#held.buffer });
    }
  }

  remove(claimId: string): void {
    const number = this.#deps.ids.numberOf(claimId);
    if (number !== undefined) this.#held.remove(number);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#post({ type: "stop" });
    await this.#thread.terminate();
  }

  /** A thread takes a moment to start, and a short time to live is shorter than that. */
  #bridge(): void {
    const timer = setInterval(() => {
      if (this.#provenAtMs > 0 || this.#stopping) clearInterval(timer);
      else this.#deps.beat().catch(() => undefined); // the connection tells what is wrong
    }, this.#deps.ttlMs / 3);
    timer.unref();
  }

  #start(): Worker {
    const { url, workerId, ttlMs, ids } = this.#deps;
    const data: HeartbeatData = { url, workerId, ttlMs, idPrefix: ids.prefix, held: this.#held.buffer };
    const thread = startThread("transport/heartbeat-thread", data);
    thread.unref();
    thread.on("message", (message: FromHeartbeat) => {
      if (message.type === "lost") this.#deps.onLost(message.claimIds);
      else this.#provenAtMs = Number(message.sentAt) / 1e6;
    });
    thread.on("error", (error) => this.#deps.log.error({ err: error }, "the heartbeat thread failed"));
    thread.once("exit", () => this.#restart());
    return thread;
  }

  #restart(): void {
    if (this.#stopping) return;
    setTimeout(() => {
      if (this.#stopping) return;
      this.#thread = this.#start();
    }, 500).unref();
  }

  #post(message: ToHeartbeat): void {
    this.#thread.postMessage(message);
  }
}
