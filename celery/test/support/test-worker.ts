import { EventEmitter, once } from "node:events";
import type { CeleryApp } from "../../src/app/types.ts";
import type { WorkerPanel } from "../../src/control/index.ts";
import { openInProcessPool } from "../../src/pool/in-process.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { LamportClock } from "../../src/runtime/lamport-clock.ts";
import type { Binding } from "../../src/transport/transport.ts";
import { makeBrokerLog } from "../../src/worker/broker-log.ts";
import { Panel, type WorkerParts } from "../../src/worker/panel.ts";
import { Revokes } from "../../src/worker/revokes.ts";
import type { Shutdown } from "../../src/worker/shutdown.ts";
import type { TaskEvent } from "../../src/worker/task-event.ts";
import { runWorker } from "../../src/worker/worker.ts";
import type { LogRecord, WorkerLog } from "../../src/worker/worker-log.ts";

export interface TestWorker extends AsyncDisposable {
  /** Everything it logged, oldest first. */
  readonly records: readonly LogRecord[];
  readonly events: readonly TaskEvent[];
  /** Settles with the first record whose text matches, already logged or still to come. */
  logged(pattern: RegExp): Promise<LogRecord>;
  /** As remote control turns it. */
  readonly panel: WorkerPanel;
  /** Ends it as SIGTERM does; settles when it has ended. */
  warm(): Promise<void>;
  /** Ends it as SIGQUIT does. */
  cold(): Promise<void>;
}

export interface TestWorkerOptions {
  readonly queues?: readonly (string | Binding)[];
  readonly concurrency?: number;
  readonly prefetchMultiplier?: number;
  readonly nodeName?: string;
  readonly autoscale?: { readonly max: number; readonly min: number };
  readonly autoscaleKeepalive?: number;
}

/** A worker in this process, on its event loop, taking tasks. */
export async function startTestWorker(app: CeleryApp, options: TestWorkerOptions = {}): Promise<TestWorker> {
  const worker = new InProcessWorker(app, options);
  await worker.logged(/ ready\.$/);
  return worker;
}

class InProcessWorker implements TestWorker {
  readonly records: LogRecord[] = [];
  readonly events: TaskEvent[] = [];
  readonly #log = new EventEmitter<{ record: [LogRecord] }>();
  readonly #controls = {
    warm: new AbortController(),
    cold: new AbortController(),
    hard: new AbortController(),
  };
  readonly #ended: Promise<unknown>;
  #parts: WorkerParts | undefined;

  constructor(app: CeleryApp, options: TestWorkerOptions) {
    this.#log.setMaxListeners(0);
    const pool = openInProcessPool({ kind: "async", size: options.concurrency ?? 2, app });
    const log = this.#makeLog();
    const life = runWorker(
      {
        app,
        pool,
        log,
        clock: systemClock,
        brokerLog: makeBrokerLog({ brokerUrl: app.brokerUrl, log }),
        events: {
          send: (type, fields) => void this.events.push([type, fields] as unknown as TaskEvent),
          sendCustom: (type, fields) => void this.events.push([type, fields] as unknown as TaskEvent),
        },
        lamport: new LamportClock(),
        revokes: new Revokes({ clock: systemClock }),
        attendants: (parts) => {
          this.#parts = parts;
          return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
        },
      },
      {
        nodeName: options.nodeName ?? "w1@test",
        queues: options.queues ?? ["celery"],
        prefetchMultiplier: options.prefetchMultiplier ?? 4,
        ...(options.autoscale && { autoscale: options.autoscale }),
        ...(options.autoscaleKeepalive && { autoscaleKeepalive: options.autoscaleKeepalive }),
      },
      this.#shutdown(),
    );
    this.#ended = closeAfter(life, pool);
  }

  async logged(pattern: RegExp): Promise<LogRecord> {
    for (;;) {
      // All of them each time: several may come at once.
      const known = this.records.find(({ text }) => pattern.test(text));
      if (known) return known;
      await once(this.#log, "record");
    }
  }

  get panel(): WorkerPanel {
    if (!this.#parts) throw new Error("the worker is not ready");
    return new Panel(this.#parts, {
      events: { taskEventsEnabled: true },
      heartbeat: () => undefined,
      shutdown: () => this.#controls.warm.abort(),
      report: () => "",
    });
  }

  async warm(): Promise<void> {
    this.#controls.warm.abort();
    await this.#ended;
  }

  async cold(): Promise<void> {
    this.#controls.cold.abort();
    await this.warm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cold();
  }

  #makeLog(): WorkerLog {
    const record = (entry: LogRecord): void => {
      this.records.push(entry);
      this.#log.emit("record", entry);
    };
    const at =
      (level: LogRecord["level"]) =>
      (_fields: object, text: string): void =>
        record({ level, processName: "MainProcess", text });
    return { record, debug: at("DEBUG"), info: at("INFO"), warn: at("WARNING"), error: at("ERROR") };
  }

  #shutdown(): Shutdown {
    const { warm, cold, hard } = this.#controls;
    return {
      warm: warm.signal,
      cold: cold.signal,
      hard: hard.signal,
      requestWarm: () => warm.abort(),
      [Symbol.dispose]: () => undefined,
    };
  }
}

async function closeAfter(life: Promise<unknown>, resource: AsyncDisposable): Promise<void> {
  await using _closed = resource;
  await life;
}
