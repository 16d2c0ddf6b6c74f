import { availableParallelism } from "node:os";
import type { CeleryApp } from "../app/types.ts";
import type { Pool } from "../pool/pool.ts";
import type { Range } from "./autoscale.ts";
import { followPool } from "./pool-log.ts";
import type { WorkerLog } from "./worker-log.ts";

/** How many slots a pool begins with; an autoscaled one at its least. @param usual if nobody says. Default the number of CPUs. */
export function initialSize(
  { autoscale, concurrency }: { readonly autoscale?: Range | undefined; readonly concurrency: number | null },
  usual: number = availableParallelism(),
): number {
  return autoscale ? Math.max(1, autoscale.min) : (concurrency ?? usual);
}

/**
 * Gives a pool what the settings say about it: when its processes are replaced, and what becomes of what tasks print.
 *
 * @param out gets that as it is when it is not to be logged (`worker_redirect_stdouts`).
 */
export function setUpPool(
  pool: Pool,
  { conf }: CeleryApp,
  { log, out }: { readonly log: WorkerLog; readonly out: (text: string) => void },
): void {
  if (conf.worker_max_tasks_per_child !== null) pool.retireAfter(conf.worker_max_tasks_per_child);
  if (conf.worker_max_memory_per_child !== null) pool.retireAbove(conf.worker_max_memory_per_child);
  const { worker_redirect_stdouts: isRedirected, worker_redirect_stdouts_level: level } = conf;
  followPool(pool, log, isRedirected ? level : out);
}
