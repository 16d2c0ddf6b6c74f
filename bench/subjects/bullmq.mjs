// BullMQ with its defaults: completed jobs are kept, with their return value.
import { Queue, QueueEvents, Worker } from "bullmq";
import { noop } from "./noop.mjs";

const QUEUE = "bench";

export function startWorker(url, concurrency) {
  new Worker(QUEUE, async () => noop(), { connection: connection(url), concurrency });
}

export async function openClient(url) {
  const queue = new Queue(QUEUE, { connection: connection(url) });
  let events;
  return {
    send: () => queue.add("noop", { x: 1, y: 2 }),
    prepare: async () => {
      events = new QueueEvents(QUEUE, { connection: connection(url) });
      await events.waitUntilReady();
    },
    finish: (job) => job.waitUntilFinished(events),
    sendMany: (count) =>
      queue.addBulk(Array.from({ length: count }, () => ({ name: "noop", data: { x: 1, y: 2 } }))),
    close: async () => {
      await events?.close();
      await queue.close();
    },
  };
}

function connection(url) {
  return { host: "127.0.0.1", port: Number(new URL(url).port), maxRetriesPerRequest: null };
}
