// bee-queue with its defaults. Its producers hold jobs in memory only when they wait for results.
import BeeQueue from "bee-queue";
import { noop } from "./noop.mjs";

const QUEUE = "bench";

export function startWorker(url, concurrency) {
  new BeeQueue(QUEUE, { redis: connection(url) }).process(concurrency, async () => noop());
}

export async function openClient(url) {
  let queue = new BeeQueue(QUEUE, {
    redis: connection(url),
    isWorker: false,
    getEvents: false,
    storeJobs: false,
  });
  await queue.ready();
  const create = () => queue.createJob({ x: 1, y: 2 });
  let waits = false;
  return {
    // Listened for before it is sent: a fast worker is done before `save` returns.
    send: async () => {
      const job = create();
      const done = waits && new Promise((resolve) => job.once("succeeded", resolve));
      await job.save();
      return { done };
    },
    prepare: async () => {
      await queue.close();
      queue = new BeeQueue(QUEUE, { redis: connection(url), isWorker: false });
      await queue.ready();
      waits = true;
    },
    finish: ({ done }) => done,
    sendMany: (count) => queue.saveAll(Array.from({ length: count }, create)),
    close: () => queue.close(),
  };
}

function connection(url) {
  return { host: "127.0.0.1", port: Number(new URL(url).port) };
}
