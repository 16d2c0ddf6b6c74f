import { Worker } from "node:worker_threads";

/**
 * Starts a thread whose main module is one of ours, as it is: from `dist` a `.js` file, from source a `.ts` file. Node 20
 * cannot read the latter and tsx does not reach into threads by itself, so the thread registers it first.
 *
 * @param entry URL of the module without its extension.
 * @param self `import.meta.url` of the caller: tells which of the two it is.
 */
export function startThread(entry: string, self: string, data: unknown): Worker {
  const extension = self.endsWith(".ts") ? ".ts" : ".js";
  const url = new URL(entry + extension, self).href;
  if (extension === ".js") return new Worker(new URL(url), { workerData: data, execArgv: [] });
  const tsx = import.meta.resolve("tsx/esm/api");
  return new Worker(
    `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(url)}); });`,
    { eval: true, workerData: data, execArgv: [] },
  );
}
