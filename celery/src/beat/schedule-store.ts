import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import { lazySchema } from "../protocol/lazy-schema.ts";
import type { ConfiguredEntry, Entry } from "./entry.ts";

const fileShape = lazySchema(() =>
  z.object({
    format: z.literal(1),
    timezone: z.string(),
    utcEnabled: z.boolean(),
    entries: z.record(
      z.string(),
      z.object({ lastRunAt: z.iso.datetime(), totalRunCount: z.int().nonnegative() }),
    ),
  }),
);

/** The clock that the remembered times were read on; another one makes them worthless. */
export interface ClockSettings {
  readonly timezone: string;
  readonly utcEnabled: boolean;
}

/** The schedule as it starts, and what there is to tell about it. */
export interface LoadedSchedule {
  readonly entries: readonly Entry[];
  /** Names of entries that the file remembered: their last run is known. */
  readonly remembered: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/**
 * The schedule file: when each entry last ran. JSON, replaced as a whole, so that a crash leaves the old or the new one and never
 * half of either.
 *
 * @see celery 5.7.0 beat.py, `PersistentScheduler` (whose file is a Python pickle that nobody else can read)
 */
export class ScheduleStore {
  readonly path: string;
  readonly #clock: ClockSettings;

  constructor(path: string, clock: ClockSettings, cwd: string) {
    this.path = resolve(cwd, path);
    this.#clock = clock;
  }

  /**
   * Joins the configuration with the file. Entries that are no longer configured are dropped, new ones count from `nowMs`. A file
   * that cannot be read as a schedule is renamed aside and told about; one of another time zone is forgotten.
   *
   * @throws Error of node:fs when the file is there and cannot be opened.
   */
  async load(configured: readonly ConfiguredEntry[], nowMs: number): Promise<LoadedSchedule> {
    const { memory, warnings } = await this.#read(nowMs);
    const entries = configured.map((entry) => {
      const known = memory.get(entry.name);
      return { ...entry, lastRunAtMs: known?.lastRunAtMs ?? nowMs, totalRunCount: known?.totalRunCount ?? 0 };
    });
    return { entries, remembered: new Set(memory.keys()), warnings };
  }

  /** Writes the file; the old one stays until the new one is complete. */
  async save(entries: readonly Entry[]): Promise<void> {
    const content = { format: 1, ...this.#clock, entries: Object.fromEntries(entries.map(toStored)) };
    const temporary = `${this.path}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`);
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #read(nowMs: number): Promise<{ memory: Memory; warnings: readonly string[] }> {
    const text = await readIfThere(this.path);
    if (text === undefined) return { memory: new Map(), warnings: [] };
    const parsed = fileShape().safeParse(parseJson(text));
    if (!parsed.success) {
      const aside = `${this.path}.corrupt-${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "")}`;
      await rename(this.path, aside);
      return {
        memory: new Map(),
        warnings: [
          `The schedule file '${this.path}' cannot be read; it is kept as '${aside}'. Starting with an empty one: intervals count from now.`,
        ],
      };
    }
    const reset = this.#whyReset(parsed.data);
    return reset === undefined
      ? { memory: toMemory(parsed.data), warnings: [] }
      : { memory: new Map(), warnings: [reset] };
  }

  #whyReset(stored: ClockSettings): string | undefined {
    if (stored.timezone !== this.#clock.timezone) {
      return `Reset: Timezone changed from '${stored.timezone}' to '${this.#clock.timezone}'`;
    }
    if (stored.utcEnabled === this.#clock.utcEnabled) return undefined;
    const word = (on: boolean): string => (on ? "enabled" : "disabled");
    return `Reset: UTC changed from ${word(stored.utcEnabled)} to ${word(this.#clock.utcEnabled)}`;
  }
}

type Memory = ReadonlyMap<string, { readonly lastRunAtMs: number; readonly totalRunCount: number }>;

function toMemory(stored: z.infer<ReturnType<typeof fileShape>>): Memory {
  return new Map(
    Object.entries(stored.entries).map(([name, { lastRunAt, totalRunCount }]) => [
      name,
      { lastRunAtMs: Date.parse(lastRunAt), totalRunCount },
    ]),
  );
}

/** Task and schedule are for the reader of the file; only the rest is read back. */
function toStored(entry: Entry): [string, unknown] {
  const { task, schedule, lastRunAtMs, totalRunCount } = entry;
  return [
    entry.name,
    { task, schedule: schedule.spec, lastRunAt: new Date(lastRunAtMs).toISOString(), totalRunCount },
  ];
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller treats it like any other wrong shape
  }
}
