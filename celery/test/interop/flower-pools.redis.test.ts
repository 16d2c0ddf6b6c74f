import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { type BothWorkers, OURS, startBothWorkers, THEIRS } from "./both-workers.ts";
import { proves } from "./compat.ts";
import { type Fields, type Flower, startFlower } from "./flower.ts";

vi.setConfig({ testTimeout: 120_000 });

/** Flower beside workers that scale themselves and let their pools be restarted. */
const url = `${redisUrl()}/71`;
let both: BothWorkers;
let flower: Flower;

beforeAll(async () => {
  both = await startBothWorkers(url, { args: ["--autoscale", "2,1"], env: { POOL_RESTARTS: "1" } });
  flower = await startFlower(url);
}, 360_000);

afterAll(async () => {
  await flower?.[Symbol.asyncDispose]();
  await both?.[Symbol.asyncDispose]();
});

interface Stats {
  readonly autoscaler?: Fields;
  readonly pool: { readonly processes: readonly number[] };
}

async function statsOf(node: string): Promise<Stats> {
  const workers = await flower.look<Record<string, { stats: Stats }>>(
    `/workers?refresh=1&workername=${node}`,
  );
  return workers[node]!.stats;
}

async function pushBoth(path: string): Promise<readonly (readonly [number, string])[]> {
  const said: (readonly [number, string])[] = [];
  for (const node of [OURS, THEIRS]) {
    const [status, text] = await flower.push(path.replace("NODE", node));
    said.push([status, text.replaceAll(node, "NODE")]);
  }
  return said;
}

test("given workers that scale themselves, when Flower says between how many processes, then both do it and say the same", async () => {
  proves("Flower", "autoscale", "python → ours");

  const [ours, theirs] = await pushBoth("/worker/pool/autoscale/NODE?min=3&max=4");

  expect(ours).toEqual(theirs);
  expect(ours?.[0]).toBe(200);
  for (const node of [OURS, THEIRS]) {
    await until(async () => (await statsOf(node)).pool.processes.length >= 3);
    expect((await statsOf(node)).autoscaler).toMatchObject({ min: 3, max: 4 });
  }
});

test("given pools that may be restarted, when Flower restarts them, then both say the same, ours has new processes, and both run tasks", async () => {
  proves("Flower", "pool restart", "python → ours");
  const before = new Set((await statsOf(OURS)).pool.processes);

  const [ours, theirs] = await pushBoth("/worker/pool/restart/NODE");

  expect(ours).toEqual(theirs);
  expect(ours?.[0]).toBe(200);
  await until(async () => {
    const { processes } = (await statsOf(OURS)).pool;
    return processes.length > 0 && processes.every((pid) => !before.has(pid));
  });
  const sent = await both.sendToBoth("control.add", [2, 3]);
  expect(await both.python.get(sent.ours)).toMatchObject({ value: 5 });
  expect(await both.python.get(sent.theirs)).toMatchObject({ value: 5 });
});
