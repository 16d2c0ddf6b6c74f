import { freePort } from "../support/redis-server.ts";
import { until } from "../support/until.ts";
import { type PythonProcess, startPython } from "./python-celery.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A running Flower that has seen a worker of ours and one of Python's. */
export interface Flower extends AsyncDisposable {
  /** Its pages. */
  readonly site: string;
  look<T>(path: string): Promise<T>;
  /** What its button says. */
  push(
    path: string,
    form?: Readonly<Record<string, string>>,
  ): Promise<readonly [status: number, text: string]>;
  /** As `push`, with a body of JSON. */
  send(path: string, body: object): Promise<readonly [status: number, text: string]>;
}

export async function startFlower(url: string): Promise<Flower> {
  const port = await freePort();
  const process = await startPython(
    ["-m", "celery", "-A", "control_app", "flower", "--address=127.0.0.1", `--port=${port}`],
    { REDIS_URL: url, FLOWER_UNAUTHENTICATED_API: "true" },
  );
  await process.line(/Connected to redis/);
  const flower = new RunningFlower(`http://127.0.0.1:${port}`, process);
  // It knows a worker once that has told something.
  await until(async () => Object.keys(await flower.look<Fields>("/workers")).length === 2, 30_000);
  return flower;
}

class RunningFlower implements Flower {
  readonly site: string;
  readonly #process: PythonProcess;

  constructor(site: string, process: PythonProcess) {
    this.site = site;
    this.#process = process;
  }

  async look<T>(path: string): Promise<T> {
    const response = await fetch(`${this.site}/api${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  push(path: string, form: Readonly<Record<string, string>> = {}): Promise<readonly [number, string]> {
    return this.#post(path, new URLSearchParams(form));
  }

  send(path: string, body: object): Promise<readonly [number, string]> {
    return this.#post(path, JSON.stringify(body));
  }

  async #post(path: string, body: string | URLSearchParams): Promise<readonly [number, string]> {
    const response = await fetch(`${this.site}/api${path}`, { method: "POST", body });
    return [response.status, await response.text()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
