import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { fromSource, ownModule } from "../runtime/own-module.ts";
import type { ChildConfig } from "./child-config.ts";
import { exitStatus } from "./exit-status.ts";
import {
  type DoneMessage,
  type FromChild,
  READ_FD,
  readFromChild,
  type ToChild,
  WRITE_FD,
  writeToChild,
} from "./ipc.ts";
import type { Job } from "./job.ts";
import { type LineReader, readLines } from "./lines.ts";
import { MessageLines } from "./message-lines.ts";
import { type PoolResult, PoolStartError, TOO_LATE } from "./pool.ts";

export interface ChildOptions {
  readonly config: ChildConfig;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that loading the app may take. */
  readonly readyTimeoutMs: number;
  readonly onLine: (line: string) => void;
  /** A job has ended, and the child may be given another. */
  readonly onDone: () => void;
  /** These have not begun, and never will in this child: they are to run elsewhere. */
  readonly onGivenBack: (jobs: readonly Job[]) => void;
}

/** How long the last words of a dead child are waited for: a grandchild may hold its pipes open for ever. */
const LAST_WORDS_MS = 250;
/** How long a process that was told to end may take: a task may block its loop, or tidy up for ever. */
const TERMINATE_GRACE_MS = 1_000;
/** Of the last runs' mean: a new one counts this much. */
const LATEST_SHARE = 0.3;

/** One process of the prefork pool, as the worker sees it: starts, runs one task after the other, ends. */
export class PoolChild {
  readonly name: string;
  readonly pid: number;
  /** Rejects with PoolStartError, which says why, when the child ends or dallies before it is ready. */
  readonly ready: Promise<void>;
  /** How it ended, once everything it sent and printed has been read. */
  readonly exited: Promise<string>;
  tasksDone: number = 0;
  /** It should not take another task: an abandoned one may still run in it, its memory has grown, its files are old. */
  worn: boolean = false;
  /** Mean length of its last runs, the latest counting most. Until it has run something it counts as slow. */
  meanRunMs: number = Infinity;
  /** When the task under way began, by `performance.now()`. */
  startedAtMs: number = 0;
  readonly #options: ChildOptions;
  readonly #process: ChildProcess;
  readonly #stdout: LineReader;
  readonly #stderr: LineReader;
  readonly #startLines: string[] = [];
  /** Given to it, in order; the first runs or is about to. */
  readonly #jobs: Job[] = [];
  #outbox = "";
  #isReady = false;
  #askedBack = false;
  #onFirstAnswer: ((failure: string | undefined) => void) | undefined;

  constructor(options: ChildOptions) {
    this.name = options.config.processName;
    this.#options = options;
    this.#process = spawnChild(options);
    this.pid = this.#process.pid ?? 0;
    const onLine = (line: string): void => {
      if (this.#isReady) options.onLine(line);
      else this.#startLines.push(line);
    };
    this.#stdout = readLines(this.#process.stdout!, onLine);
    this.#stderr = readLines(this.#process.stderr!, onLine);
    this.#listen();
    this.exited = this.#watchExit();
    this.ready = this.#watchReady(options.readyTimeoutMs);
    // Both are looked at by whoever needs them; an early failure must not count as unhandled meanwhile.
    this.ready.catch(() => undefined);
  }

  /** How many tasks it was given that have not ended. */
  get load(): number {
    return this.#jobs.length;
  }

  /** To be run after those that it has. */
  give(job: Job): void {
    this.#jobs.push(job);
    this.#askedBack = false;
    this.#send({ type: "run", job: job.number, by: job.by, request: job.request });
  }

  /** Has it hand back what waits behind the task under way. */
  askBack(): void {
    if (this.#askedBack) return;
    this.#askedBack = true;
    this.#send({ type: "giveBack" });
  }

  limitMemory(maxResidentKib: number | null): void {
    this.#send({ type: "memory", maxResidentKib });
  }

  /** A job that has not begun is asked back; one that has takes its process with it. */
  cancel(job: Job): void {
    this.#condemn(job, { ended: "cancelled", processName: this.name });
  }

  /** @returns false when that job does not run. */
  terminate(job: Job, signal: NodeJS.Signals): boolean {
    if (!job.started || job.verdict || this.#jobs[0] !== job) return false;
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

  /** Ends the child at once; what was given to it ends as cancelled. */
  terminateAll(): void {
    for (const job of this.#jobs) job.verdict ??= { ended: "cancelled", processName: this.name };
    this.kill();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Settles what it had when it ended: what ran is lost with it, what had not begun is handed back. */
  settleLost(status: string): void {
    const jobs = this.#jobs.splice(0);
    for (const job of jobs)
      if (job.started) this.#settle(job, { ended: "lost", status, pid: this.pid, processName: this.name });
    this.#handBack(jobs.filter(({ started }) => !started));
  }

  /** One write for all that is said in this turn. */
  #send(message: ToChild): void {
    if (this.#outbox === "") process.nextTick(() => this.#flush());
    this.#outbox += `${writeToChild(message)}\n`;
  }

  #flush(): void {
    const text = this.#outbox;
    this.#outbox = "";
    const pipe = this.#pipe(READ_FD);
    // A failed write means that the child is gone: its exit is on the way and says so better.
    if (pipe.writable) pipe.write(text);
  }

  #pipe(fd: number): Duplex {
    return this.#process.stdio[fd] as Duplex;
  }

  #listen(): void {
    const lines = new MessageLines((line) => this.#onMessage(readFromChild(line)));
    this.#pipe(READ_FD).on("error", () => undefined);
    this.#pipe(WRITE_FD)
      .on("error", () => undefined)
      .setEncoding("utf8")
      .on("data", lines.push);
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
    const answer = new Promise<string | undefined>((resolve) => {
      this.#onFirstAnswer = resolve;
    });
    const gone = this.exited.then((status) => `${this.name} ended while it started (${status}).`);
    const reason = await Promise.race([answer, gone, late]);
    clearTimeout(timer);
    if (reason === undefined) return;
    throw new PoolStartError([reason, ...this.#startLines.slice(-20)].join("\n"));
  }

  #onMessage(message: FromChild): void {
    switch (message.type) {
      case "ready":
        this.#isReady = true;
        return this.#onFirstAnswer?.(undefined);
      case "failed":
        return this.#onFirstAnswer?.(message.reason);
      case "givenBack":
        return this.#handBack(this.#take(message.jobs));
      case "started":
      case "state":
      case "softLimit":
      case "event":
      case "done":
        return this.#onRun(
          this.#jobs.find(({ number }) => number === message.job),
          message,
        );
    }
  }

  /** Takes these out of what it has. */
  #take(numbers: readonly number[]): readonly Job[] {
    const taken = this.#jobs.filter(({ number }) => numbers.includes(number));
    for (const job of taken) this.#jobs.splice(this.#jobs.indexOf(job), 1);
    return taken;
  }

  #onRun(
    job: Job | undefined,
    message: Exclude<FromChild, { type: "ready" | "failed" | "givenBack" }>,
  ): void {
    if (message.type === "started") return job && this.#onStarted(job);
    if (!job) return this.#onAfterthought(message);
    if (job.verdict) return; // it ends with its process
    switch (message.type) {
      case "state":
        return void this.#store(job, message);
      case "softLimit":
        return job.hooks.onSoftLimit(message.limitSeconds);
      case "event":
        return job.hooks.onEvent?.(message.name, message.fieldsJson);
      case "done":
        return this.#finish(job, message);
    }
  }

  /** A task that has ended goes on behind the scenes: its result stands. */
  #onAfterthought(message: FromChild): void {
    if (message.type !== "state") return;
    this.#send({ type: "stored", seq: message.seq, error: TOO_LATE });
  }

  #onStarted(job: Job): void {
    job.started = true;
    this.startedAtMs = performance.now();
    // Cancelled while it was on its way.
    if (job.verdict) return this.kill();
    const limitSeconds = job.request.hardLimitSeconds;
    if (limitSeconds !== null) {
      const late: PoolResult = { ended: "timeout", limitSeconds, processName: this.name };
      job.hardLimit = setTimeout(() => this.#condemn(job, late), limitSeconds * 1000);
    }
    job.hooks.onStart(this.pid, this.name);
  }

  /** Kills the child for what it runs; the run settles when the child is gone, so that nothing runs on unseen. */
  #condemn(job: Job, verdict: PoolResult): void {
    if (job.verdict || !this.#jobs.includes(job)) return;
    job.verdict = verdict;
    if (job.started) return this.kill();
    this.#askedBack = false;
    this.askBack();
  }

  async #store(job: Job, message: Extract<FromChild, { type: "state" }>): Promise<void> {
    const error = await job.hooks.onState(message.state, message.metaJson).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
    this.#send({ type: "stored", seq: message.seq, error });
  }

  #finish(job: Job, message: DoneMessage): void {
    clearTimeout(job.hardLimit);
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    this.tasksDone += 1;
    this.worn ||= message.worn;
    const { outcome } = message;
    const runMs = outcome.runtimeSeconds * 1000;
    const known = this.tasksDone === 1 ? runMs : this.meanRunMs;
    this.meanRunMs = known + LATEST_SHARE * (runMs - known);
    const end = (): void => {
      job.resolve({ ended: "done", outcome, processName: this.name });
      this.#options.onDone();
    };
    // What the task printed came through other pipes: it belongs before the line that says how it ended.
    const { stdout, stderr } = message.written;
    if (this.#stdout.has(stdout) && this.#stderr.has(stderr)) return end();
    const heard = [this.#stdout.reached(stdout), this.#stderr.reached(stderr)];
    void within(LAST_WORDS_MS, Promise.all(heard)).then(end);
  }

  #settle(job: Job, result: PoolResult): void {
    clearTimeout(job.hardLimit);
    job.resolve(job.verdict ?? result);
  }

  #handBack(jobs: readonly Job[]): void {
    for (const job of jobs) if (job.verdict) job.resolve(job.verdict);
    const others = jobs.filter(({ verdict }) => verdict === undefined);
    if (others.length > 0) this.#options.onGivenBack(others);
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

  /** All messages of a dead child have been seen once its pipe has ended. */
  async #drained(): Promise<void> {
    const pipe = this.#pipe(WRITE_FD);
    if (!pipe.readableEnded && !pipe.destroyed) await once(pipe, "close");
  }
}

function spawnChild(options: ChildOptions): ChildProcess {
  const loader = fromSource ? ["--import", import.meta.resolve("tsx")] : [];
  const entry = fileURLToPath(ownModule("pool/child-main"));
  return spawn(process.execPath, [...loader, entry, JSON.stringify(options.config)], {
    cwd: options.cwd,
    env: options.env,
    // Not detached: the children belong to the worker's process group, so that whoever kills the group gets all.
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
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
