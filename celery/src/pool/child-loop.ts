import { loadApp } from "../app/load-app.ts";
import type { CeleryApp } from "../app/types.ts";
import { execute } from "../execution/execute.ts";
import type { TaskRequest } from "../execution/request.ts";
import { Run, type RunHost } from "../execution/run.ts";
import { encodeJson } from "../protocol/json.ts";
import { systemClock } from "../runtime/clock.ts";
import { type Deferred, makeDeferred } from "../runtime/deferred.ts";
import type { ChildConfig } from "./child-config.ts";
import { envelope, type FromChild, openEnvelope, type ToChild } from "./ipc.ts";
import { dieWithParent } from "./parent-watch.ts";
import { describeStray } from "./stray.ts";
import { countWrites, type WriteCounter } from "./write-counter.ts";

const PARENT_CHECK_MS = 500;

/**
 * The life of one pool child: load the app, say so, run one task after the other. It never speaks to the
 * broker: what is to be stored or sent goes to the parent as data.
 */
export async function runChild(config: ChildConfig, self: NodeJS.Process): Promise<void> {
  standAlone(self, config);
  // Before the app is loaded: that may never end.
  dieWithParent(config.parentPid, PARENT_CHECK_MS);
  const written = countWrites(self);
  let app: CeleryApp;
  try {
    app = await loadApp(config.appSpec, self.cwd(), config.include);
  } catch (error) {
    await tell(self, { type: "failed", reason: error instanceof Error ? error.message : String(error) });
    return self.exit(1);
  }
  new TaskRunner(app, self, written).listen();
  await tell(self, { type: "ready" });
}

function standAlone(self: NodeJS.Process, config: ChildConfig): void {
  self.title = `[celeryd: ${config.hostname}:${config.processName}]`;
  // A terminal's Ctrl-C, or a signal to the whole group, reaches the children too, but only the worker decides
  // what it means: it lets running tasks end, or kills the children.
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) self.on(signal, ignore);
  self.on("disconnect", () => self.kill(self.pid, "SIGKILL"));
  if (self.ppid !== config.parentPid) self.kill(self.pid, "SIGKILL");
  self.on("unhandledRejection", (reason) => void self.stderr.write(`${describeStray(reason)}\n`));
}

/** The signals that are ignored mean something once the worker says so; a module that handles one itself is heard. */
function endBy(self: NodeJS.Process, signal: NodeJS.Signals): void {
  self.removeListener(signal, ignore);
  self.kill(self.pid, signal);
}

function ignore(): void {
  // Meant for the worker.
}

function tell(self: NodeJS.Process, message: FromChild): Promise<void> {
  // Without a channel the parent is gone, and "disconnect" ends this process.
  if (!self.send || !self.connected) return Promise.resolve();
  return new Promise((resolve) => void self.send?.(envelope(message), undefined, undefined, () => resolve()));
}

class TaskRunner {
  readonly #app: CeleryApp;
  readonly #self: NodeJS.Process;
  readonly #written: WriteCounter;
  readonly #storing = new Map<number, Deferred<void>>();
  readonly #host: RunHost = {
    updateState: (state, meta) => this.#updateState(state, meta),
    onSoftLimit: (limitSeconds) => void tell(this.#self, { type: "softLimit", limitSeconds }),
    sendEvent: (type, fields) =>
      void tell(this.#self, { type: "event", name: type, fieldsJson: encodeJson(fields) }),
  };
  #current: Run | undefined;
  #seq = 0;

  constructor(app: CeleryApp, self: NodeJS.Process, written: WriteCounter) {
    this.#app = app;
    this.#self = self;
    this.#written = written;
  }

  listen(): void {
    this.#self.on("message", (received) => {
      const message = openEnvelope(received) as ToChild | undefined;
      if (message?.type === "run") void this.#take(message.request);
      if (message?.type === "stored") this.#onStored(message.seq, message.error);
      if (message?.type === "softLimit") this.#current?.expire(null);
      if (message?.type === "end") endBy(this.#self, message.signal);
      if (message?.type === "exit") this.#self.exit(0);
    });
  }

  async #take(request: TaskRequest): Promise<void> {
    void tell(this.#self, { type: "started" });
    const run = new Run(this.#host);
    this.#current = run;
    const { outcome, abandoned } = await execute(request, run, {
      app: this.#app,
      clock: systemClock,
      random: Math.random,
      report: (text) => void this.#self.stderr.write(`${text}\n`),
    });
    this.#current = undefined;
    void tell(this.#self, {
      type: "done",
      outcome,
      written: this.#written.now(),
      tainted: abandoned,
      residentKib: this.#self.memoryUsage.rss() / 1024,
    });
  }

  #updateState(state: string, meta: unknown): Promise<void> {
    const metaJson = encodeJson(meta);
    const seq = ++this.#seq;
    const stored = makeDeferred<void>();
    this.#storing.set(seq, stored);
    void tell(this.#self, { type: "state", seq, state, metaJson });
    return stored.promise;
  }

  #onStored(seq: number, error: string | null): void {
    const stored = this.#storing.get(seq);
    this.#storing.delete(seq);
    if (error === null) stored?.resolve();
    else stored?.reject(new Error(error));
  }
}
