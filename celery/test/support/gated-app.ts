import { Celery } from "../../src/app/celery.ts";
import { type Deferred, makeDeferred } from "../../src/runtime/deferred.ts";
import { openTestBroker, type TestBroker } from "./test-broker.ts";

/** What a test of a worker in this process works with. */
export interface GatedApp extends AsyncDisposable {
  /** With a client's app, another object than the worker's, as in real life. */
  readonly broker: TestBroker;
  /** The worker's own app, without tasks. */
  readonly app: Celery;
  /** Tasks of the test wait for this. It opens in the end, so that a worker can. */
  readonly gate: Deferred<string>;
}

export async function openGatedApp(url: string): Promise<GatedApp> {
  const broker = await openTestBroker(url);
  const app = new Celery("worker-test", { broker: url, backend: url });
  const gate = makeDeferred<string>();
  return {
    broker,
    app,
    gate,
    [Symbol.asyncDispose]: async () => {
      gate.resolve("opened");
      await app.close();
      await broker[Symbol.asyncDispose]();
    },
  };
}
