import { Celery } from "../../src/app/celery.ts";
import { openConnection, type RedisConnection } from "../../src/redis/connection.ts";
import { startTestWorker, type TestWorker } from "../support/test-worker.ts";
import { PythonClient, type PythonProcess, startPython } from "./python-celery.ts";

/** A worker of ours, one of Python's with `canvas_app.py`, and Python's client, on an empty database. */
export interface CanvasFleet extends AsyncDisposable {
  readonly redis: RedisConnection;
  /** Of our worker, which takes from the queues `ts` and `celery`. */
  readonly app: Celery;
  readonly worker: TestWorker;
  /** Takes from the queue `py`. */
  readonly pythonWorker: PythonProcess;
  readonly python: PythonClient;
}

/** @param declare gives our worker its tasks. */
export async function openCanvasFleet(
  url: string,
  declare: (app: Celery, redis: RedisConnection) => void,
): Promise<CanvasFleet> {
  const redis = openConnection(url);
  await redis.call("FLUSHDB");
  const app = new Celery("canvas", { broker: url, backend: url, result_extended: true });
  declare(app, redis);
  const args = ["-m", "celery", "-A", "canvas_app", "worker", "-l", "info", "-P", "solo", "-Q", "py"];
  const [python, pythonWorker] = await Promise.all([
    PythonClient.open(url, "canvas_client.py"),
    startPython(args, { REDIS_URL: url }),
  ]);
  const worker = await startTestWorker(app, { queues: ["ts", "celery"], concurrency: 4 });
  await pythonWorker.line(/ready\./);
  return {
    redis,
    app,
    worker,
    pythonWorker,
    python,
    [Symbol.asyncDispose]: async () => {
      await worker[Symbol.asyncDispose]();
      await app.close();
      await python[Symbol.asyncDispose]();
      await pythonWorker[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}
