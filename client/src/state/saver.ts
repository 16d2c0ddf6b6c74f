import { advanceBuffer, type BufferEvent, type FileBuffer, wantsSave } from "./file-buffer.ts";
import type { Link } from "./link.ts";
import type { Store } from "./store.ts";

const SAVE_AFTER_MS = 300;
/** The server refuses longer texts. */
const LONGEST_TEXT = 48_000;
/** The server closes the connection on a frame over 64 KB; this leaves room for the rest of the message. */
const LONGEST_JSON_BYTES = 63_000;

export interface SaverDeps {
  readonly store: Store;
  readonly link: Link;
  /** SHA-256 of the text's UTF-8 bytes in hex, as the server computes it. */
  readonly hash: (text: string) => Promise<string>;
  /** Calls back once after so many milliseconds; returns how to cancel. */
  readonly after: (ms: number, then: () => void) => () => void;
}

/** Writes what is typed to the learner's disk, one save at a time per file. */
export interface Saver {
  typed(path: string, text: string): void;
  /** Saves at once what is not saved; settles when the server has answered for every file. */
  flush(): Promise<void>;
  /** The learner's choice in a conflict. */
  resolve(path: string, choice: "keep-mine" | "take-disk"): void;
}

export function openSaver(deps: SaverDeps): Saver {
  const { store } = deps;
  const timers = new Map<string, () => void>();
  const running = new Map<string, Promise<void>>();

  const later = (path: string): void => {
    timers.get(path)?.();
    timers.set(
      path,
      deps.after(SAVE_AFTER_MS, () => void save(path)),
    );
  };
  const save = async (path: string): Promise<void> => {
    timers.get(path)?.();
    timers.delete(path);
    const busy = running.get(path);
    if (busy !== undefined) await busy;
    const buffer = store.buffers.value.get(path);
    if (buffer === undefined || !wantsSave(buffer)) return;
    const work = saveOnce(deps, buffer).finally(() => running.delete(path));
    running.set(path, work);
    await work;
    // What was typed while this save was under way; a failure waits for the next key instead of repeating itself.
    if (store.buffers.value.get(path)?.save.phase === "unsaved" && store.connection.value.phase === "open")
      later(path);
  };
  return {
    typed(path, text) {
      change(store, path, { type: "typed", text });
      later(path);
    },
    async flush() {
      await Promise.all([...store.buffers.value.keys()].map(save));
    },
    resolve(path, choice) {
      change(store, path, { type: choice });
      later(path);
    },
  };
}

async function saveOnce({ store, link, hash }: SaverDeps, buffer: FileBuffer): Promise<void> {
  const { path, text, baseHash: base } = buffer;
  if (isTooLong(text)) {
    const message = `Longer than about ${LONGEST_TEXT} characters: not saved.`;
    return change(store, path, { type: "failed", message });
  }
  if (store.connection.value.phase !== "open") return;
  change(store, path, { type: "sent" });
  const reply = await link.ask({ type: "save", path, text, base });
  const saved = reply.ok ? await hash(text) : "";
  // Another lesson may have a file of this name, and be open by now.
  const { save } = store.buffers.value.get(path) ?? {};
  if (save?.phase !== "saving" || save.text !== text) return;
  if (reply.ok) return change(store, path, { type: "saved", text, hash: saved });
  // The other version comes as a `file` message of its own and turns this buffer into a conflict.
  const event: BufferEvent =
    reply.code === "offline" ? { type: "unanswered" } : { type: "failed", message: reply.message };
  change(store, path, event);
}

function isTooLong(text: string): boolean {
  if (text.length > LONGEST_TEXT) return true;
  return new TextEncoder().encode(JSON.stringify(text)).length > LONGEST_JSON_BYTES;
}

function change(store: Store, path: string, event: BufferEvent): void {
  const old = store.buffers.value.get(path);
  if (old === undefined) return;
  const next = advanceBuffer(old, event);
  if (next !== old) store.buffers.value = new Map([...store.buffers.value, [path, next]]);
}
