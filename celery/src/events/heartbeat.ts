import { loadavg, type } from "node:os";
import type { EventFields } from "../protocol/event.ts";
import type { EventDispatcher } from "./dispatcher.ts";

export interface HeartbeatOptions {
  /** Tasks running now, and tasks accepted since the start. */
  readonly load: () => { readonly active: number; readonly processed: number };
  /** Who we are: `sw_ident` and `sw_ver`. */
  readonly software: { readonly ident: string; readonly version: string };
  /** Default 2. Celery counts a worker as gone after twice this without a sign. */
  readonly intervalSeconds?: number;
  /** Called before each sign. */
  readonly onBeat?: () => void;
}

/**
 * Says `worker-online` now, `worker-heartbeat` regularly, and `worker-offline` when closed.
 *
 * @see celery 5.7.0 worker/heartbeat.py
 */
export function startHeartbeat(events: EventDispatcher, options: HeartbeatOptions): Heartbeat {
  return new Heartbeat(events, options);
}

export class Heartbeat implements AsyncDisposable {
  readonly #events: EventDispatcher;
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(events: EventDispatcher, options: HeartbeatOptions) {
    this.#events = events;
    this.#options = options;
    this.#events.send("worker-online", this.#fields());
    this.#timer = setInterval(() => this.beat(), this.#intervalSeconds * 1000);
    this.#timer.unref();
  }

  /** One more, now: a monitor that has just started asks for it. */
  beat(): void {
    this.#events.send("worker-heartbeat", this.#fields());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#events.send("worker-offline", this.#fields());
    await this.#events.flush();
  }

  get #intervalSeconds(): number {
    return this.#options.intervalSeconds ?? 2;
  }

  #fields(): EventFields<"worker-heartbeat"> {
    this.#options.onBeat?.();
    const { active, processed } = this.#options.load();
    const { ident, version } = this.#options.software;
    return {
      freq: this.#intervalSeconds,
      active,
      processed,
      loadavg: loadavg().map((load) => Math.round(load * 100) / 100),
      sw_ident: ident,
      sw_ver: version,
      sw_sys: type(),
    };
  }
}
