import { Worker } from "node:worker_threads";

/** In a thread of its own, because a module that loops for ever lets nothing else of its process run. */
const WATCH = `
const { workerData: { done, afterMs, text } } = require("node:worker_threads");
if (Atomics.wait(new Int32Array(done), 0, 0, afterMs) === "timed-out") require("node:fs").writeSync(2, text);
`;

export interface SlowLoad {
  /** What the learner knows the module by. */
  readonly module: string;
  readonly afterMs: number;
}

/** Runs `load`, and says on stderr that it has not ended yet when it takes longer than `afterMs`. */
export async function sayIfSlow<T>(load: () => Promise<T>, { module, afterMs }: SlowLoad): Promise<T> {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const text =
    `${module} has been loading for ${afterMs / 1000} seconds. Does it loop, or await at its top level what never ends? ` +
    "Ctrl-C stops it.\n";
  const thread = new Worker(WATCH, { eval: true, workerData: { done: done.buffer, afterMs, text } });
  thread.unref();
  try {
    return await load();
  } finally {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  }
}
