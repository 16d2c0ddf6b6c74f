import { hostname } from "node:os";
import type { CeleryEvent } from "celery/events";
import type { Facts, FileFacts } from "../checks/facts.ts";
import { PANE_IDS, type PaneId, type QueueView } from "../protocol/index.ts";
import { CodeHistory } from "./code-history.ts";
import { exportsName } from "./exports.ts";
import type { FileSource, PaneSources, StepSource } from "./live.ts";
import { PaneLog } from "./pane-log.ts";
import type { Probes } from "./probes.ts";
import { type Counts, QueueLog } from "./queue-log.ts";
import { StepLog } from "./step-log.ts";
import { TaskLog } from "./task-log.ts";
import { isFinal, type ResultNews, type TaskRecord } from "./task-record.ts";
import { WorkerLog } from "./worker-log.ts";

export interface ObservedStateDeps {
  readonly panes: PaneSources;
  readonly steps: StepSource;
  readonly probes: Probes;
  /** Called at every change, perhaps many times in a row. */
  readonly changed: () => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
}

/** A worker says hello within this time of its command. */
const START_MS = 60_000;
/** What lessons call their app when no worker command says otherwise. */
const DEFAULT_MODULE = "tasks";
/** Results are counted for this many of the newest tasks. */
const COUNTED_RESULTS = 200;

/** Folds what is heard and read into the one state that checks and counts are made of. No input or output of its own. */
export class ObservedState {
  readonly #deps: ObservedStateDeps;
  readonly #tasks = new TaskLog();
  readonly #queues = new QueueLog();
  readonly #steps: StepLog;
  readonly #panes: ReadonlyMap<PaneId, PaneLog>;
  readonly #code: CodeHistory;
  readonly #workers: WorkerLog;
  #files: FileSource | undefined;
  #epoch = 0;
  readonly #onFile = (): void => this.#deps.changed();

  constructor(deps: ObservedStateDeps) {
    this.#deps = deps;
    this.#steps = new StepLog(deps.steps, deps.changed);
    this.#panes = new Map(PANE_IDS.map((id) => [id, new PaneLog(deps.panes(id), deps.changed)]));
    this.#code = new CodeHistory(deps.now);
    this.#workers = new WorkerLog({
      monotonic: deps.monotonic,
      loadedBy: ({ at }) => this.#code.at(this.#startOfWorker(at)),
      isAlive,
    });
  }

  /** Grows with every reset: what was asked before it is not for the state after it. */
  get epoch(): number {
    return this.#epoch;
  }

  onEvent(event: CeleryEvent): void {
    if ("uuid" in event) {
      this.#tasks.onEvent(event);
      if (event.type === "task-started") this.#workers.count(event.hostname, 1);
      if (["task-succeeded", "task-failed", "task-retried"].includes(event.type)) {
        this.#workers.count(event.hostname, -1);
      }
    } else {
      this.#workers.onEvent(event);
    }
    this.#deps.changed();
  }

  onResult(news: ResultNews): void {
    this.#tasks.onResult(news);
    this.#deps.changed();
  }

  onCounts(counts: Counts): void {
    if (this.#queues.onCounts(counts)) this.#deps.changed();
  }

  queueNames(): readonly string[] {
    return this.#queues.names(this.#tasks.queues());
  }

  /** A result that was asked for. */
  onStored(news: ResultNews, asked: TaskRecord): void {
    if (this.#tasks.onStored(news, asked)) this.#deps.changed();
  }

  /** The newest tasks whose stored end was not seen. */
  openTasks(limit: number): readonly TaskRecord[] {
    return this.#tasks.open(this.#deps.now(), limit);
  }

  /** @returns whether a worker was found dead. */
  prune(): boolean {
    return this.#workers.prune();
  }

  seen(): { readonly taskIds: readonly string[]; readonly queues: readonly string[] } {
    return { taskIds: this.#tasks.ids(), queues: this.queueNames() };
  }

  enter(files: FileSource | undefined, queues: readonly string[]): void {
    this.#files?.events.off("changed", this.#onFile);
    this.#files = files;
    files?.events.on("changed", this.#onFile);
    this.#code.follow(files);
    this.#queues.expect(queues);
    this.reset();
  }

  reset(): void {
    this.#epoch += 1;
    this.#tasks.clear();
    this.#queues.reset();
    this.#steps.reset();
    this.#workers.reset();
    for (const pane of this.#panes.values()) pane.reset();
    this.#deps.changed();
  }

  close(): void {
    this.#files?.events.off("changed", this.#onFile);
    this.#code.follow(undefined);
    this.#steps.close();
    for (const pane of this.#panes.values()) pane.close();
  }

  queueView(): QueueView {
    const counts = this.#queues.counts;
    const tasks = this.#tasks.tasks();
    const count = (state: string): number => tasks.filter((task) => task.state === state).length;
    return {
      queues: this.queueNames().map((name) => ({ name, length: counts?.queues[name] ?? 0 })),
      unacked: counts?.unacked ?? 0,
      scheduled: counts?.scheduled ?? 0,
      dead: counts?.dead ?? 0,
      results: { success: count("SUCCESS"), failure: count("FAILURE"), retry: count("RETRY") },
      workers: this.#workerViews(),
    };
  }

  facts(): Facts {
    const workers = this.#workerViews();
    const counts = this.#queues.counts;
    return {
      workers: {
        online: workers.length,
        oldCode: workers.filter((worker) => worker.oldCode).length,
        seen: this.#workers.seen,
      },
      unacked: { count: counts?.unacked ?? null },
      scheduled: { count: counts?.scheduled ?? null },
      dead: { count: counts?.dead ?? null },
      results: countedLater(() => this.#storedResults()),
      tasks: this.#tasks.tasks(),
      redis: this.#deps.probes.redis,
      queue: (name) => this.#queues.queue(name),
      pane: (id) => this.#pane(id).facts(),
      step: (id) => this.#steps.facts(id),
      file: (path) => this.#fileFacts(path),
      http: (url) => this.#deps.probes.http(url),
    };
  }

  #workerViews(): QueueView["workers"] {
    const module = this.#module();
    return this.#workers.views((loaded) => this.#code.isOld(loaded, module));
  }

  #storedResults(): number | null {
    const tasks = this.#tasks.tasks().slice(-COUNTED_RESULTS);
    const stored = tasks
      .filter((task) => isFinal(task.state))
      .map((task) => this.#deps.probes.redis.exists(`celery-task-meta-${task.id}`));
    return stored.includes(null) ? null : stored.filter(Boolean).length;
  }

  #fileFacts(path: string): FileFacts {
    const view = this.#files?.file(path);
    return {
      edited: view?.edited ?? false,
      loaded: this.#workers.loaded().some((loaded) => this.#code.isLoaded(path, loaded)),
      has: (name) => exportsName(view?.text ?? "", name),
    };
  }

  #pane(id: PaneId): PaneLog {
    const pane = this.#panes.get(id);
    if (pane === undefined) throw new Error(`no pane ${id}`);
    return pane;
  }

  /**
   * When a worker that is heard for the first time read the files, in epoch milliseconds. It read them before it said
   * hello, so its command's start is nearer to the truth; an edit in the second between counts as not read.
   */
  #startOfWorker(at: number): number {
    const starts = this.#workerCommands()
      .map(({ since }) => since)
      .filter((since) => since <= at && at - since < START_MS);
    return Math.max(...starts, 0) || at;
  }

  #module(): string {
    const commands = this.#workerCommands().map(
      ({ command }) => /(?:-A|--app)[ =]?([\w./-]+)/.exec(command)?.[1],
    );
    const named = commands.find((name) => name !== undefined) ?? DEFAULT_MODULE;
    return named.includes("/") || /\.(?:ts|js|mjs)$/.test(named) ? named : named.replaceAll(".", "/");
  }

  #workerCommands(): readonly { readonly command: string; readonly since: number }[] {
    return [...this.#panes.values()].flatMap((pane) => {
      const running = pane.running();
      return running !== undefined && /\bcelery\b.*\bworker\b/.test(running.command) ? [running] : [];
    });
  }
}

/** Counting results asks Redis for each of them, so it waits until a check wants to know. */
function countedLater(count: () => number | null): Facts["results"] {
  return {
    get count() {
      return count();
    },
  };
}

/** A worker of this machine can be asked by its process; of others only the heartbeat is known. */
function isAlive(nodeName: string, pid: number): boolean | undefined {
  if (nodeName.split("@")[1] !== hostname() || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
