/*
 * A program that sends: node client.mjs <module> <what> <count>. What it measured is its last line, as JSON.
 * `fill` sends and measures nothing; `gets` waits for a line on stdin between what it does, so that others can look.
 */
import { once } from "node:events";

const [name, what, countText] = process.argv.slice(2);
const count = Number(countText);
const { openClient } = await import(`./${name}.mjs`);
const client = await openClient(process.env.BENCH_REDIS_URL);

/** In flight at once, and messages of one bulk call. */
const WINDOW = 500;

const measurements = {
  fill: async () => {
    await inWindows(count, client.sendMany ?? many);
    return {};
  },
  awaited: async () => {
    await repeat(count / 5, client.send);
    return rate(() => repeat(count, client.send));
  },
  concurrent: async () => {
    await inWindows(count / 5, many);
    return rate(() => inWindows(count, many));
  },
  bulk: async () => {
    await inWindows(count / 5, client.sendMany);
    return rate(() => inWindows(count, client.sendMany));
  },
  "round-trip": async () => {
    await client.prepare?.();
    await repeat(count / 5, roundTrip);
    const samples = [];
    await repeat(count, async () => {
      const started = performance.now();
      await roundTrip();
      samples.push(performance.now() - started);
    });
    return { samples };
  },
  gets: async () => {
    await client.prepare?.();
    const many = (size) => Promise.all(Array.from({ length: size }, roundTrip));
    await inWindows(WINDOW, many);
    await look();
    await inWindows(count, many);
    await look();
    return {};
  },
};

const result = await measurements[what]();
await client.close();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

async function roundTrip() {
  await client.finish(await client.send());
}

function many(size) {
  return Promise.all(Array.from({ length: size }, client.send));
}

async function repeat(times, work) {
  for (let i = 0; i < times; i += 1) await work();
}

async function inWindows(total, work) {
  for (let left = total; left > 0; left -= WINDOW) await work(Math.min(left, WINDOW));
}

async function rate(work) {
  const started = performance.now();
  await work();
  return { rate: (count * 1000) / (performance.now() - started) };
}

/** Says how much memory is in use, and lets others look until they say go on. */
async function look() {
  globalThis.gc?.();
  process.stdout.write(`${JSON.stringify({ heapMb: process.memoryUsage().heapUsed / 1e6 })}\n`);
  await once(process.stdin, "data");
}
