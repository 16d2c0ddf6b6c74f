import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import type { FileView, PaneState, StepState } from "../protocol/index.ts";
import { CodeHistory } from "./code-history.ts";
import { exportsName } from "./exports.ts";
import type { FileSource, StepSource } from "./live.ts";
import { PaneLog } from "./pane-log.ts";
import { QueueLog } from "./queue-log.ts";
import { parseStored, resultNews } from "./result-news.ts";
import { StepLog } from "./step-log.ts";
import { type WorkerEvent, WorkerLog } from "./worker-log.ts";

/** Files in memory that say when they change. */
class Files implements FileSource {
  readonly events: FileSource["events"] = new EventEmitter();
  readonly #texts = new Map<string, string>();

  write(path: string, text: string): void {
    this.#texts.set(path, text);
    this.events.emit("changed", this.file(path)!);
  }

  file(path: string): FileView | undefined {
    const text = this.#texts.get(path);
    return text === undefined ? undefined : { path, text, hash: `hash of ${text}`, edited: false };
  }

  hashes(): ReadonlyMap<string, string> {
    return new Map([...this.#texts].map(([path, text]) => [path, `hash of ${text}`]));
  }
}

describe("old code", () => {
  function aHistory() {
    let time = 0;
    const files = new Files();
    files.write("tasks.ts", 'import { app } from "./app.ts"; import "./lib/data";');
    files.write("app.ts", "1");
    files.write("lib/data.ts", "1");
    files.write("send.ts", 'import { add } from "./tasks.ts";');
    const history = new CodeHistory(() => time);
    history.follow(files);
    return { files, history, at: (now: number) => (time = now) };
  }

  test("given a worker that read the files, when one that it imports changes, then it runs old code until that is put back", () => {
    const { files, history, at } = aHistory();
    const loaded = history.at(10);
    expect(history.isOld(loaded, "tasks")).toBe(false);
    at(20);
    files.write("lib/data.ts", "2");
    expect(history.isOld(loaded, "tasks")).toBe(true);
    expect(history.isOld(history.at(20), "tasks")).toBe(false);
    at(30);
    files.write("lib/data.ts", "1");
    expect(history.isOld(loaded, "tasks")).toBe(false);
    expect(history.isOld(history.at(25), "tasks")).toBe(true);
  });

  test("given a file that the worker does not import, when it changes, then the worker is not old", () => {
    const { files, history } = aHistory();
    const loaded = history.at(10);
    files.write("send.ts", "changed");
    expect(history.isOld(loaded, "tasks")).toBe(false);
    expect(history.isOld(loaded, "send")).toBe(true);
  });

  test("given an import that comes with an edit, when it is there, then the worker without it is old", () => {
    const { files, history } = aHistory();
    const loaded = history.at(10);
    files.write("new.ts", "x");
    files.write("app.ts", 'import "./new.ts";');
    expect(history.isOld(loaded, "tasks")).toBe(true);
    expect(history.isLoaded("app.ts", loaded)).toBe(false);
    expect(history.isLoaded("lib/data.ts", loaded)).toBe(true);
    expect(history.isLoaded("gone.ts", loaded)).toBe(false);
  });

  test("given imports in a circle, when they are followed, then that ends", () => {
    const { files, history } = aHistory();
    files.write("app.ts", 'import "./tasks.ts";');
    expect(history.isOld(history.at(10), "tasks")).toBe(false);
  });
});

const beat = (change: Partial<WorkerEvent> = {}): WorkerEvent =>
  ({
    type: "worker-heartbeat",
    hostname: "celery@here",
    pid: 7,
    active: 0,
    timestamp: 1,
    utcoffset: 0,
    clock: 0,
    freq: 2,
    processed: 0,
    loadavg: [],
    sw_ident: "",
    sw_ver: "",
    sw_sys: "",
    ...change,
  }) as WorkerEvent;

describe("workers", () => {
  function aLog() {
    const world = { now: 0, alive: undefined as boolean | undefined };
    const log = new WorkerLog({
      monotonic: () => world.now,
      loadedBy: ({ at }) => new Map([["tasks.ts", String(at)]]),
      isAlive: () => world.alive,
    });
    const names = (): readonly string[] =>
      log
        .views((loaded) => loaded.get("tasks.ts") === "1000")
        .map(({ pid, oldCode, active }) => `${pid}${oldCode ? " old" : ""} ${active}`);
    return { log, world, names };
  }

  test("given heartbeats only, as after a reconnect, when they are heard, then the worker is online", () => {
    const { log, names } = aLog();
    log.onEvent(beat({ active: 2 }));
    expect(names()).toEqual(["7 old 2"]);
  });

  test("given a worker that says good-bye, is silent or was killed, when that is noticed, then it is gone", () => {
    const { log, world, names } = aLog();
    log.onEvent(beat());
    log.onEvent(beat({ type: "worker-offline" }));
    expect(names()).toEqual([]);
    log.onEvent(beat());
    world.now = 9000;
    expect(log.prune()).toBe(false);
    world.now = 10_001;
    expect(log.prune()).toBe(true);
    log.onEvent(beat());
    world.alive = false;
    expect(log.prune()).toBe(true);
    log.onEvent(beat());
    expect(names()).toEqual([]);
  });

  test("given a restart under the same name, when both were heard, then it is another worker with other code", () => {
    const { log, names } = aLog();
    log.onEvent(beat());
    log.onEvent(beat({ type: "worker-offline" }));
    log.onEvent(beat({ type: "worker-online", pid: 8, timestamp: 5 }));
    log.onEvent(beat({ pid: 8, timestamp: 7 }));
    expect(names()).toEqual(["8 0"]);
    expect(log.seen).toBe(2);
    log.reset();
    expect(log.seen).toBe(1);
  });

  test("given tasks that begin and end, when they are counted, then the next heartbeat has the last word", () => {
    const { log, names } = aLog();
    log.onEvent(beat({ timestamp: 5 }));
    log.count("celery@here", 1);
    log.count("celery@here", 1);
    log.count("celery@here", -1);
    expect(names()).toEqual(["7 1"]);
    log.onEvent(beat({ timestamp: 5 }));
    log.count("celery@here", -1);
    expect(names()).toEqual(["7 0"]);
  });
});

describe("panes", () => {
  function aPane() {
    const pane = {
      state: { phase: "idle", epoch: 1, exit: null, seconds: null } as PaneState,
      events: new EventEmitter<{ line: [text: string]; state: [state: PaneState] }>(),
    };
    const log = new PaneLog(pane, () => {});
    const become = (state: PaneState): void => {
      pane.state = state;
      pane.events.emit("state", state);
    };
    return {
      pane,
      log,
      become,
      print: (...lines: string[]) => lines.forEach((line) => pane.events.emit("line", line)),
    };
  }

  test("given commands and output, when facts are asked for, then command, exit and lines are there until the reset", () => {
    const { log, become, print } = aPane();
    become({ phase: "busy", epoch: 1, command: "tsx send.ts", since: 5 });
    expect(log.facts()).toMatchObject({ busy: true, command: "tsx send.ts", exit: null });
    print("Task ID: 1");
    become({ phase: "idle", epoch: 1, exit: 3, seconds: 1 });
    expect(log.facts()).toMatchObject({ busy: false, command: "tsx send.ts", exit: 3 });
    expect(log.facts().saw(/^Task ID/)).toBe(true);
    log.reset();
    expect(log.facts()).toMatchObject({ busy: false, command: null, exit: null });
    expect(log.facts().saw(/^Task ID/)).toBe(false);
  });

  test("given a pattern that was asked before, when a line comes later, then it is found, also after very many lines", () => {
    const { log, print } = aPane();
    const saw = (pattern: RegExp): boolean => log.facts().saw(pattern);
    expect(saw(/ready/)).toBe(false);
    for (let count = 0; count < 30_000; count += 1) print("noise");
    expect(saw(/ready/)).toBe(false);
    print("ready");
    expect(saw(/ready/)).toBe(true);
    for (let count = 0; count < 30_000; count += 1) print("noise");
    expect(saw(/ready/)).toBe(true);
  });
});

test("given steps that run again and fail, when they are counted, then each run counts once", () => {
  const steps: { states: Record<string, StepState>; events: StepSource["events"] } = {
    states: {},
    events: new EventEmitter(),
  };
  const log = new StepLog(steps, () => {});
  const become = (state: StepState): void => {
    steps.states = { send: state };
    steps.events.emit("changed");
  };
  become({ phase: "queued", because: "…" });
  become({ phase: "running", since: 1 });
  become({ phase: "running", since: 1 });
  become({ phase: "done", exit: 0, seconds: 1 });
  expect(log.facts("send")).toEqual({ phase: "done", exit: 0, runs: 1 });
  become({ phase: "running", since: 2 });
  become({ phase: "ready", seconds: 1 });
  become({ phase: "failed", exit: 1, seconds: 1, message: "…" });
  expect(log.facts("send")).toEqual({ phase: "failed", exit: 1, runs: 2 });
  become({ phase: "idle" });
  become({ phase: "failed", exit: null, seconds: 0, message: "could not start" });
  expect(log.facts("send").runs).toBe(3);
  log.reset();
  expect(log.facts("send").runs).toBe(0);
  expect(log.facts("other")).toEqual({ phase: "idle", exit: null, runs: 0 });
});

test("given counts, when they come and go, then lengths follow, peaks stay, and Celery's own queues are left out", () => {
  const log = new QueueLog();
  const counts = {
    queues: { celery: 4 },
    unacked: 0,
    scheduled: 0,
    dead: 0,
    knownQueues: ["celery", "training", "celery@x.celery.pidbox", "celeryev.1"],
  };
  log.expect(["scoring"]);
  expect(log.queue("celery")).toEqual({ length: null, peak: 0 });
  expect(log.onCounts(counts)).toBe(true);
  expect(log.onCounts(counts)).toBe(false);
  expect(log.onCounts({ ...counts, queues: { celery: 1 } })).toBe(true);
  expect(log.queue("celery")).toEqual({ length: 1, peak: 4 });
  expect(log.queue("other")).toEqual({ length: 0, peak: 0 });
  expect(log.names(["sent"])).toEqual(["celery", "scoring", "sent", "training"]);
  log.reset();
  expect(log.queue("celery")).toEqual({ length: null, peak: 0 });
});

describe("exports", () => {
  const TEXT = `
    // export const commented = 1;
    /* export const blocked = 1; */
    const text = "export const quoted = 1;";
    export const add = app.task("tasks.add", () => 1);
    export async function later() {}
    export default class Thing {}
    const a = 1, b = 2;
    export { a, b as renamed, type C };
    export type Shape = 1;
  `;
  test.each([
    ["add", true],
    ["later", true],
    ["default", true],
    ["a", true],
    ["renamed", true],
    ["b", false],
    ["C", true],
    ["Shape", true],
    ["commented", false],
    ["blocked", false],
    ["quoted", false],
    ["text", false],
    ["ad", false],
  ])("given a module, when it is asked for %s, then the answer is %s", (name, expected) => {
    expect(exportsName(TEXT, name)).toBe(expected);
  });
});

describe("results", () => {
  test("given what is stored under a key, when it is read, then it is news, or nothing for what is no result", () => {
    const text =
      '{"status": "FAILURE", "result": {"exc_type": "ValueError", "exc_message": ["bad", 1], "exc_module": "builtins"}, "date_done": "2026-11-21T10:00:00+00:00", "task_id": "t1"}';
    expect(resultNews(parseStored(text)!, 5)).toEqual({
      taskId: "t1",
      state: "FAILURE",
      result: { excType: "ValueError", excMessage: ["bad", 1] },
      error: { type: "ValueError", message: "bad, 1" },
      at: Date.parse("2026-11-21T10:00:00Z"),
      isNotice: true,
    });
    for (const other of ["", "NaN", "[]", "null", '{"status": "SUCCESS"}', '{"task_id": 1, "status": 2}']) {
      expect(parseStored(other)).toBeUndefined();
    }
  });

  test("given a result that JSON has no words for, when it is turned into news, then it is plain", () => {
    const result = {
      at: new Date(0),
      big: 10n ** 20n,
      nan: Number.NaN,
      deep: JSON.parse(`${"[".repeat(100)}${"]".repeat(100)}`) as unknown,
    };
    const news = resultNews({ taskId: "t", status: "SUCCESS", result, dateDone: null }, 5);
    expect(news).toMatchObject({
      at: 5,
      result: { at: "1970-01-01T00:00:00.000Z", big: "100000000000000000000", nan: "NaN" },
    });
    expect(JSON.stringify(news.result).length).toBeLessThan(300);
  });
});
