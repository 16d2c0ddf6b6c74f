import { type Lab, STORE_DB, until } from "./lab.ts";
import { type Running, runToEnd } from "./processes.ts";
import { RedisClient } from "./redis-client.ts";
import { celeryFiller, type System } from "./systems.ts";

/** What one measurement gave: name → number. */
export type Sample = Readonly<Record<string, number>>;

/** No single step takes longer. Everything together has the scenario's limit. */
export const LIMIT_MS = 60_000;

/** Puts `count` tasks into the system's empty queue. */
export async function fill(lab: Lab, system: System, count: number): Promise<void> {
  if (system.wire.name !== "celery") {
    const program = system.client("fill", count);
    if (!program) throw new Error(`${system.name} cannot be filled`);
    return runToEnd(lab.start(program), LIMIT_MS);
  }
  // One format, so one filling for all: it is made once and copied.
  using store = await RedisClient.open(lab.port);
  await store.call("SELECT", STORE_DB);
  if ((await store.call("EXISTS", `fill:${count}`)) === 0) {
    await runToEnd(lab.start(celeryFiller(count)), LIMIT_MS);
    await lab.redis.call("COPY", "celery", `fill:${count}`, "DB", STORE_DB);
    await lab.clear();
  }
  await store.call("COPY", `fill:${count}`, "celery", "DB", 0, "REPLACE");
}

/** Finished tasks; may count a few more. */
export async function progress(lab: Lab, { wire }: System): Promise<number> {
  return Number(await lab.redis.call(...wire.progress));
}

/** Waits until so many tasks are finished, looking every 2 ms. */
export async function untilFinished(lab: Lab, { name, wire }: System, count: number): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const reply = await lab.redis.call(...wire.finished);
    return (Array.isArray(reply) ? reply.length : Number(reply)) >= count;
  };
  await until(lab, `${name}: ${count} task(s)`, isDone, LIMIT_MS, 2);
}

/** Starts the system's worker and has it finish one task, so that it is known to be up. */
export async function startWarm(lab: Lab, system: System): Promise<Running> {
  await fill(lab, system, 1);
  const worker = lab.start(system.worker);
  await untilFinished(lab, system, 1);
  return worker;
}

/** Commands that Redis has carried out, inside scripts too, by name. Our own looking is not counted. */
export async function commandCounts(lab: Lab): Promise<ReadonlyMap<string, number>> {
  const info = String(await lab.redis.call("INFO", "commandstats"));
  const counts = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
    ([, name = "", calls]) => [name, Number(calls)] as const,
  );
  return new Map(counts.filter(([name]) => !OUR_OWN.has(name)));
}

const OUR_OWN: ReadonlySet<string> = new Set(["info", "dbsize", "keys", "flushdb", "copy", "select"]);

export function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** Calls of scripts: one trip each, whatever is inside. */
export function scriptsOf(counts: ReadonlyMap<string, number>): number {
  return ["eval", "evalsha", "fcall"].reduce((total, name) => total + (counts.get(name) ?? 0), 0);
}
