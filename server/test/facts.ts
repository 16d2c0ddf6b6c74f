import type { Facts, TaskFacts } from "../src/checks/facts.ts";

/** A task for tests: `tasks.add(4, 4)` that succeeded. */
export function aTask(change: Partial<TaskFacts> = {}): TaskFacts {
  return {
    id: "11111111-1111-4111-8111-111111111111",
    name: "tasks.add",
    state: "SUCCESS",
    args: [4, 4],
    result: 8,
    error: null,
    retries: 0,
    worker: "celery@here",
    pid: 7,
    runtime: 5.01,
    starts: 1,
    queue: "celery",
    sentAt: 1000,
    startedAt: 2000,
    finishedAt: 7010,
    eta: null,
    ...change,
  };
}

/** Facts for tests: nothing has happened yet, apart from what is given. */
export function someFacts(change: Partial<Facts> = {}): Facts {
  return {
    workers: { online: 0, oldCode: 0, seen: 0 },
    unacked: { count: 0 },
    scheduled: { count: 0 },
    dead: { count: 0 },
    results: { count: 0 },
    tasks: [],
    redis: { get: () => null, llen: () => null, exists: () => null, keys: () => null },
    queue: () => ({ length: 0, peak: 0 }),
    pane: () => ({ exit: null, busy: false, command: null, saw: () => false }),
    step: () => ({ phase: "idle", exit: null, runs: 0 }),
    file: () => ({ edited: false, loaded: false, has: () => false }),
    http: () => ({ status: null, json: null }),
    ...change,
  };
}
