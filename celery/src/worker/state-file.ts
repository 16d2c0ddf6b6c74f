import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import * as z from "zod";
import { CeleryError } from "../protocol/errors.ts";
import { lazySchema } from "../protocol/lazy-schema.ts";

const fileShape = lazySchema(() =>
  z.object({
    format: z.literal(1),
    /** Oldest first. */
    revoked: z.array(z.string()),
    /** Lamport clock. */
    clock: z.int().nonnegative(),
  }),
);

/** What a worker remembers from one run to the next. */
export interface WorkerState {
  /** Ids of revoked tasks, oldest first. */
  readonly revoked: readonly string[];
  /** Lamport clock. */
  readonly clock: number;
}

/** The file of `--statedb` is not one of ours, or cannot be read. */
export class StateFileError extends CeleryError {
  readonly code = "STATE_FILE";
}

/**
 * The file of `--statedb`: JSON, replaced as a whole, so that a crash leaves the old or the new one and never half of either.
 *
 * @see celery 5.7.0 worker/state.py, `Persistent` (whose file is a Python pickle that nobody else can read)
 */
export class StateFile {
  readonly #path: string;
  readonly #current: () => WorkerState;
  #saving: Promise<void> | undefined;
  #isStale = false;

  /** @param current what is to be written, asked for at each save. */
  constructor(path: string, current: () => WorkerState) {
    this.#path = path;
    this.#current = current;
  }

  /** Undefined when there is no file yet. @throws StateFileError */
  async load(): Promise<WorkerState | undefined> {
    const text = await this.#read();
    if (text === undefined) return undefined;
    const parsed = fileShape().safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new StateFileError(
      `${this.#path} is not a state file of this worker (Python's Celery writes another kind). Name another file with --statedb, or remove it.`,
    );
  }

  /** Settles when what is current now is on disk. Calls that come while it writes share the next write. @throws StateFileError */
  save(): Promise<void> {
    this.#isStale = true;
    this.#saving ??= this.#write().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #write(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#replace(JSON.stringify({ format: 1, ...this.#current() }));
    }
  }

  async #replace(text: string): Promise<void> {
    const draft = `${this.#path}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      await using file = await open(draft, "w");
      await file.writeFile(`${text}\n`);
      await file.sync(); // or a power cut could leave an empty file under the final name
      await rename(draft, this.#path);
    } catch (cause) {
      await rm(draft, { force: true });
      throw new StateFileError(`${this.#path} cannot be written: ${String(cause)}`, { cause });
    }
  }

  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new StateFileError(`${this.#path} cannot be read: ${String(cause)}`, { cause });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller treats it like any other wrong shape
  }
}
