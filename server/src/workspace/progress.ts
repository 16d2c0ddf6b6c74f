import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { CheckState } from "../protocol/index.ts";

/** What is remembered of a lesson from one run of the server to the next. */
export interface Memory {
  /** Hash of each starting file when it was copied: tells an untouched file from an edited one. */
  readonly starters: Readonly<Record<string, string>>;
  readonly checks: readonly CheckState[];
}

/** Lives in the lesson's workspace, out of sight. */
export const MEMORY_FILE = ".playground.json";

const NOTHING: Memory = { starters: {}, checks: [] };

const schema: z.ZodType<Memory> = z.object({
  starters: z.record(z.string(), z.string()),
  checks: z.array(z.object({ id: z.string(), state: z.enum(["red", "green"]), message: z.string() })),
});

/** A file that is missing or not as we wrote it counts as nothing remembered. */
export async function readMemory(dir: string): Promise<Memory> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(join(dir, MEMORY_FILE), "utf8")));
    return parsed.success ? parsed.data : NOTHING;
  } catch {
    return NOTHING;
  }
}

export async function writeMemory(dir: string, memory: Memory): Promise<void> {
  const temporary = join(dir, `.${randomUUID()}.tmp`);
  await writeFile(temporary, `${JSON.stringify(memory, null, 2)}\n`);
  await rename(temporary, join(dir, MEMORY_FILE));
}
