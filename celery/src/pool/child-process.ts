import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { TaskRequest } from "../execution/request.ts";
import type { ChildConfig } from "./child-config.ts";
import { exitStatus } from "./exit-status.ts";
import { envelope, type FromChild, openEnvelope, type ToChild } from "./ipc.ts";
import { type LineReader, readLines } from "./lines.ts";
import { type PoolResult, PoolStartError, type RunHooks } from "./pool.ts";

export interface ChildOptions {
  readonly config: ChildConfig;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that loading the app may take. */
  readonly readyTimeoutMs: number;
  readonly onLine: (line: string) => void;
}

/** How long the last words of a dead child are waited for: a grandchild may hold its pipes open for ever. */
const LAST_WORDS_MS = 250;

/** How long a process that was told to end may take: a task may block its loop, or tidy up for ever. */
const TERMINATE_GRACE_MS = 1_000;

interface Job {
  readonly request: TaskRequest;
  readonly hooks: RunHooks;
  readonly resolve: (result: PoolResult) => void;
  hardLimit?: NodeJS.Timeout;
  /** Why the worker itself killed the child. */
  verdict?: PoolResult;
}

/** One process of the prefork pool, as the worker sees it: starts, takes a task at a time, ends. */
export class PoolChild {
  readonly name: string;
  readonly pid: number;
  /** Rejects with PoolStartError, which says why, when the child ends or dallies before it is ready. */
  readonly ready: Promise<void>;
  /** How it ended, once everything it sent and printed has been read. */
  readonly exited: Promise<string>;
  tasksDone: number = 0;
  /** It should not take another task: an abandoned one may still run in it. */
  tainted: boolean = false;
  /** Resident memory after its last task. */
  residentKib: number = 0;
  readonly #process: ChildProcess;
  readonly #stdout: LineReader;
  readonly #stderr: LineReader;
  readonly #startLines: string[] = [];
  #isReady = false;
  #job: Job | undefined;

  constructor(options: ChildOptions) {
    this.name = options.config.processName;
    this.#process = spawnChild(options);
    this.pid = this.#process.pid ?? 0;
    const onLine = (line: string): void => {
      if (this.#isReady) options.onLine(line);
      else this.#startLines.push(line);
    };
    this.#stdout = readLines(this.#process.stdout!, onLine);
    this.#stderr = readLines(this.#process.stderr!, onLine);
    this.exited = this.#watchExit();
    this.ready = this.#watchReady(options.readyTimeoutMs);
    // Both are looked at by whoever needs them; an early failure must not count as unhandled meanwhile.
    this.ready.catch(() => undefined);
  }

  run(request: TaskRequest, hooks: RunHooks): Promise<PoolResult> {
    if (this.#job) throw new Error(`${this.name} is busy with ${this.#job.request.id}`);
    return new Promise((resolve) => {
      const job: Job = { request, hooks, resolve };
      this.#job = job;
      this.#send({ type: "run", request });
      hooks.signal?.addEventListener("abort", () => this.#cancel(job), { once: true });
    });
  }

  cancelRun(hooks: RunHooks): void {
    if (this.#job?.hooks === hooks) this.#cancel(this.#job);
  }

  /** @returns false when that run is not the one under way. */
  terminateRun(hooks: RunHooks, signal: NodeJS.Signals): boolean {
    const job = this.#job;
    if (job?.hooks !== hooks || job.verdict) return false;
    if (signal === "SIGUSR1") {
      this.#send({ type: "softLimit" });
      return true;
    }
    job.verdict = { ended: "terminated", signal, processName: this.name };
    // The child ignores what a terminal sends to the whole group, unless it is told that this one is meant.
    this.#send({ type: "end", signal });
    const timer = setTimeout(() => this.kill(), TERMINATE_GRACE_MS);
    void this.exited.then(() => clearTimeout(timer));
    return true;
  }

  /** Ends an idle child: asks first, kills after `graceMs`. */
  async retire(graceMs: number): Promise<void> {
    this.#send({ type: "exit" });
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends the child at once; a task in it ends as cancelled. */
  terminate(): void {
    if (this.#job) this.#cancel(this.#job);
    this.kill();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #send(message: ToChild): void {
    // A failed send means that the child is gone: its exit is on the way and says so better.
    if (this.#process.connected) this.#process.send(envelope(message), () => undefined);
  }

  async #watchReady(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        this.kill();
        resolve(
          `${this.name} was not ready within ${timeoutMs / 1000} s: is the module busy while it loads?`,
        );
      }, timeoutMs);
    });
    const answer = this.#firstAnswer();
    const gone = this.exited.then((status) => `${this.name} ended while it started (${status}).`);
    const reason = await Promise.race([answer, gone, late]);
    clearTimeout(timer);
    if (reason === undefined) return;
    throw new PoolStartError([reason, ...this.#startLines.slice(-20)].join("\n"));
  }

  #firstAnswer(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#process.on("message", (frame) => {
        const message = openEnvelope(frame) as FromChild | undefined;
        if (message?.type === "ready") this.#isReady = true;
        if (message?.type === "ready") resolve(undefined);
        else if (message?.type === "failed") resolve(message.reason);
        else if (message) this.#onMessage(message);
      });
    });
  }

  #onMessage(message: Exclude<FromChild, { type: "ready" | "failed" }>): void {
    const job = this.#job;
    if (!job || job.verdict) return;
    switch (message.type) {
      case "started":
        this.#armHardLimit(job);
        return job.hooks.onStart(this.pid, this.name);
      case "state":
        return void this.#store(job, message);
      case "event":
        return job.hooks.onEvent?.(message.name, message.fieldsJson);
      case "softLimit":
        return job.hooks.onSoftLimit(message.limitSeconds);
      case "done":
        return void this.#finish(job, message);
    }
  }

  #armHardLimit(job: Job): void {
    const limitSeconds = job.request.hardLimitSeconds;
    if (limitSeconds === null) return;
    const late: PoolResult = { ended: "timeout", limitSeconds, processName: this.name };
    job.hardLimit = setTimeout(() => this.#condemn(job, late), limitSeconds * 1000);
  }

  #cancel(job: Job): void {
    this.#condemn(job, { ended: "cancelled", processName: this.name });
  }

  /** Kills the child for what it runs; the run settles when the child is gone, so that nothing runs on unseen. */
  #condemn(job: Job, verdict: PoolResult): void {
    if (this.#job !== job || job.verdict) return;
    job.verdict = verdict;
    this.kill();
  }

  async #store(job: Job, message: Extract<FromChild, { type: "state" }>): Promise<void> {
    const error = await job.hooks.onState(message.state, message.metaJson).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
    this.#send({ type: "stored", seq: message.seq, error });
  }

  async #finish(job: Job, message: Extract<FromChild, { type: "done" }>): Promise<void> {
    clearTimeout(job.hardLimit);
    this.#job = undefined;
    this.tasksDone++;
    this.tainted ||= message.tainted;
    this.residentKib = message.residentKib;
    // What the task printed came through other pipes: it belongs before the line that says how it ended.
    const { stdout, stderr } = message.written;
    await within(LAST_WORDS_MS, Promise.all([this.#stdout.reached(stdout), this.#stderr.reached(stderr)]));
    job.resolve({ ended: "done", outcome: message.outcome, processName: this.name });
  }

  async #watchExit(): Promise<string> {
    const status = await new Promise<string>((resolve) => {
      this.#process.once("exit", (code, signal) => resolve(exitStatus(code, signal)));
      this.#process.on("error", (error) => resolve(error.message));
    });
    const heard = [this.#drained(), this.#stdout.reached(Infinity), this.#stderr.reached(Infinity)];
    await within(LAST_WORDS_MS, Promise.all(heard));
    return status;
  }

  /** All messages of a dead child have been seen once its channel has ended. */
  async #drained(): Promise<void> {
    if (this.#process.connected) await once(this.#process, "disconnect");
  }

  /** Settles the task that died with the child, if there was one. Called by the pool, after it has told of the exit. */
  settleLost(status: string): void {
    const job = this.#job;
    if (!job) return;
    clearTimeout(job.hardLimit);
    this.#job = undefined;
    job.resolve(job.verdict ?? { ended: "lost", status, pid: this.pid, processName: this.name });
  }
}

function spawnChild(options: ChildOptions): ChildProcess {
  const fromSource = import.meta.url.endsWith(".ts");
  const entry = new URL(fromSource ? "./child-main.ts" : "./child-main.js", import.meta.url);
  return fork(entry, [JSON.stringify(options.config)], {
    cwd: options.cwd,
    env: options.env,
    // Not detached: the children belong to the worker's process group, so that whoever kills the group gets all.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
    execArgv: fromSource ? ["--import", import.meta.resolve("tsx")] : [],
  });
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
