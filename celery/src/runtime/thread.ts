import { Worker } from "node:worker_threads";
import { fromSource, ownModule } from "./own-module.ts";

/**
 * Starts a thread whose main module is one of ours, as it is: from `dist` a `.js` file, from source a `.ts` file. Node 20
 * cannot read the latter and tsx does not reach into threads by itself, so the thread registers it first.
 *
 * @param path of the module below `src`, without its extension: `transport/heartbeat-thread`.
 */
export function startThread(path: string, data: unknown): Worker {
  const url = ownModule(path);
  if (!fromSource) return new Worker(url, { workerData: data, execArgv: [] });
  const tsx = import.meta.resolve("tsx/esm/api");
  return new Worker(
    `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); });`,
    { eval: true, workerData: data, execArgv: [] },
  );
}
