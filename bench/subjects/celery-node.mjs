// celery-node with its defaults. Its `get` looks for the result every 500 ms, so it has no round trip here.
import celery from "celery-node";
import { noop } from "./noop.mjs";

export async function startWorker(url) {
  const worker = celery.createWorker(url, url);
  worker.register("bench.noop", noop);
  await worker.start();
}

export async function openClient(url) {
  const client = celery.createClient(url, url);
  await client.isReady();
  const task = client.createTask("bench.noop");
  // `applyAsync` does not tell when the broker has the message: the broker's own promise does.
  const accepted = [];
  const publish = client.broker.publish.bind(client.broker);
  client.broker.publish = (...message) => {
    const done = publish(...message);
    accepted.shift()(done);
    return done;
  };
  const send = () =>
    new Promise((resolve) => {
      accepted.push(resolve);
      task.applyAsync([1, 2]);
    });
  return { send, close: () => client.disconnect() };
}
