import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { startTime } from "./process-table.ts";

/** Who holds a workspace. Times are the system's own words, compared only for equality. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly session: string;
  /** The address that was printed, token included, so that a second `npm start` can print it again. */
  readonly url: string | null;
}

export type LockResult =
  | { readonly held: true; readonly lock: Lock; readonly abandoned: Holder | undefined }
  | { readonly held: false; readonly by: Holder };

export interface Lock extends AsyncDisposable {
  /** Tells others where this holder can be reached. */
  announce(url: string): Promise<void>;
}

/**
 * Takes the lock of a workspace, or says who has it. A lock whose process is gone (another process with its
 * pid does not count) is taken over, and its holder returned as `abandoned`.
 *
 * @param file made with mode 0600 in a folder of mode 0700.
 */
export async function takeLock(file: string, session: string): Promise<LockResult> {
  const self = { pid: process.pid, startTime: (await startTime(process.pid)) ?? "", session, url: null };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  let abandoned: Holder | undefined;
  for (;;) {
    if (await create(file, self)) return { held: true, lock: lockOf(file, self), abandoned };
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (holder !== undefined && (await isAlive(holder))) return { held: false, by: holder };
    abandoned = holder ?? abandoned;
    if (await takeOver(file, text, self)) return { held: true, lock: lockOf(file, self), abandoned };
  }
}

/** `link` makes the name appear with its whole content or not at all, and fails where it exists. */
async function create(file: string, holder: Holder): Promise<boolean> {
  const draft = await writeDraft(file, holder);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(file: string, holder: Holder): Promise<string> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  return draft;
}

/**
 * Puts ours in the place of a stale lock. Many may have read the stale text, so one at a time looks once more and replaces it: that right is a
 * lock itself, which may become stale like any other.
 */
async function takeOver(file: string, staleText: string, self: Holder): Promise<boolean> {
  const right = await takeLock(`${file}.takeover`, self.session);
  if (!right.held) return false;
  await using _ = right.lock;
  if ((await readFile(file, "utf8").catch(() => undefined)) !== staleText) return false;
  await rename(await writeDraft(file, self), file);
  return true;
}

function lockOf(file: string, self: Holder): Lock {
  return {
    announce: async (url) => rename(await writeDraft(file, { ...self, url }), file),
    [Symbol.asyncDispose]: async () => {
      const holder = parseHolder(await readFile(file, "utf8").catch(() => ""));
      if (holder?.session === self.session) await rm(file, { force: true });
    },
  };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, startTime: started, session, url } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof started !== "string") return undefined;
    // It becomes the name of a folder that is removed.
    if (typeof session !== "string" || !/^[\w-]+$/.test(session)) return undefined;
    return { pid, startTime: started, session, url: typeof url === "string" ? url : null };
  } catch {
    // Half a file is what a crash leaves behind: nobody holds it.
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  return (await startTime(holder.pid)) === holder.startTime;
}
