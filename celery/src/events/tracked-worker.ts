import * as z from "zod";
import type { RawEvent } from "../protocol/event.ts";

/** Celery's heartbeat window: a worker is gone after this many intervals without a sign. */
const EXPIRES_AFTER_INTERVALS = 2;
const DEFAULT_INTERVAL_SECONDS = 60;

/** A heartbeat that is further apart says nothing about life. */
const MOST_INTERVAL_SECONDS = 86_400;

const shape = z.object({
  pid: z.number().optional().catch(undefined),
  freq: z.number().positive().max(MOST_INTERVAL_SECONDS).optional().catch(undefined),
  active: z.number().optional().catch(undefined),
  processed: z.number().optional().catch(undefined),
  loadavg: z.array(z.number()).optional().catch(undefined),
  sw_ident: z.string().optional().catch(undefined),
  sw_ver: z.string().optional().catch(undefined),
  sw_sys: z.string().optional().catch(undefined),
});

/** A worker as its events tell of it. `undefined`: not told yet. @see celery 5.7.0 events/state.py, `Worker` */
export class TrackedWorker {
  readonly hostname: string;
  pid: number | undefined;
  /** Seconds between heartbeats. */
  freq: number = DEFAULT_INTERVAL_SECONDS;
  active: number | undefined;
  processed: number | undefined;
  loadavg: readonly number[] | undefined;
  sw_ident: string | undefined;
  sw_ver: string | undefined;
  sw_sys: string | undefined;
  /** Lamport clock. */
  clock = 0;
  #heard: number | undefined;

  constructor(hostname: string) {
    this.hostname = hostname;
  }

  /** Epoch seconds, of this machine; undefined if it never gave a sign of life. */
  get lastHeartbeat(): number | undefined {
    return this.#heard;
  }

  isAlive(nowSeconds: number): boolean {
    return this.#heard !== undefined && nowSeconds < this.#heard + this.freq * EXPIRES_AFTER_INTERVALS;
  }

  update(event: RawEvent): void {
    const told = shape.parse(event);
    this.pid = told.pid ?? this.pid;
    this.freq = told.freq ?? this.freq;
    this.active = told.active ?? this.active;
    this.processed = told.processed ?? this.processed;
    this.loadavg = told.loadavg ?? this.loadavg;
    this.sw_ident = told.sw_ident ?? this.sw_ident;
    this.sw_ver = told.sw_ver ?? this.sw_ver;
    this.sw_sys = told.sw_sys ?? this.sw_sys;
    this.clock = Math.max(this.clock, event.clock);
  }

  /** It gave a sign of life: heard by this machine's clock, because its own may be wrong. */
  beat(nowSeconds: number): void {
    this.#heard = Math.max(this.#heard ?? 0, nowSeconds);
  }
}
