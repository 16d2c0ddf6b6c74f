import type { FileView } from "server/protocol";

/** Where a file of the editor stands against the disk, which is the truth. */
export type SaveState =
  | { readonly phase: "saved" }
  | { readonly phase: "unsaved" }
  | { readonly phase: "saving"; readonly text: string }
  /** Refused by the server for another reason than a conflict; typing on tries again. */
  | { readonly phase: "failed"; readonly message: string }
  /** The disk changed under unsaved typing. `disk` is the other version; the learner chooses. */
  | { readonly phase: "conflict"; readonly disk: FileView };

export interface FileBuffer {
  readonly path: string;
  readonly text: string;
  /** The version on disk that `text` grew from: its text and its hash, which the server calls `base`. */
  readonly baseText: string;
  readonly baseHash: string;
  /** The file on disk differs from the lesson's starting file. */
  readonly edited: boolean;
  readonly save: SaveState;
  /** Grows when `text` came from outside the editor, which must then show it. */
  readonly revision: number;
}

export type BufferEvent =
  | { readonly type: "typed"; readonly text: string }
  | { readonly type: "sent" }
  | { readonly type: "saved"; readonly text: string; readonly hash: string }
  | { readonly type: "failed"; readonly message: string }
  /** The connection ended before the answer. */
  | { readonly type: "unanswered" }
  | { readonly type: "disk"; readonly file: FileView }
  | { readonly type: "keep-mine" }
  | { readonly type: "take-disk" };

export function openBuffer(file: FileView): FileBuffer {
  return {
    path: file.path,
    text: file.text,
    baseText: file.text,
    baseHash: file.hash,
    edited: file.edited,
    save: { phase: "saved" },
    revision: 0,
  };
}

/** The next state, or the same object when the event means nothing here. */
export function advanceBuffer(buffer: FileBuffer, event: BufferEvent): FileBuffer {
  switch (event.type) {
    case "typed":
      return typed(buffer, event.text);
    case "sent":
      return { ...buffer, save: { phase: "saving", text: buffer.text } };
    case "saved":
      return rebase(buffer, event.text, event.hash);
    case "failed":
      return { ...buffer, save: { phase: "failed", message: event.message } };
    case "unanswered":
      return buffer.save.phase === "saving" ? { ...buffer, save: { phase: "unsaved" } } : buffer;
    case "disk":
      return diskChanged(buffer, event.file);
    case "keep-mine":
      return buffer.save.phase === "conflict" ? keepMine(buffer, buffer.save.disk) : buffer;
    case "take-disk":
      return buffer.save.phase === "conflict" ? takeDisk(buffer, buffer.save.disk) : buffer;
  }
}

/** Whether a save should go out for this buffer now. */
export function wantsSave(buffer: FileBuffer): boolean {
  const { phase } = buffer.save;
  return (phase === "unsaved" || phase === "failed") && buffer.text !== buffer.baseText;
}

function typed(buffer: FileBuffer, text: string): FileBuffer {
  if (text === buffer.text) return buffer;
  const next = { ...buffer, text };
  if (buffer.save.phase === "saving" || buffer.save.phase === "conflict") return next;
  return { ...next, save: { phase: text === buffer.baseText ? "saved" : "unsaved" } };
}

/** The disk now holds `text`, which this page wrote; what was typed since is still unsaved. */
function rebase(buffer: FileBuffer, text: string, hash: string): FileBuffer {
  if (buffer.save.phase === "conflict") return buffer;
  const save: SaveState = { phase: buffer.text === text ? "saved" : "unsaved" };
  return { ...buffer, baseText: text, baseHash: hash, save };
}

function diskChanged(old: FileBuffer, file: FileView): FileBuffer {
  const buffer = old.edited === file.edited ? old : { ...old, edited: file.edited };
  if (file.text === buffer.text)
    return rebase({ ...buffer, save: { phase: "unsaved" } }, file.text, file.hash);
  if (file.hash === buffer.baseHash) return buffer;
  const { save } = buffer;
  if (save.phase === "saving" && save.text === file.text) return rebase(buffer, file.text, file.hash);
  if (save.phase === "saved") return takeDisk(buffer, file);
  return { ...buffer, save: { phase: "conflict", disk: file } };
}

function keepMine(buffer: FileBuffer, disk: FileView): FileBuffer {
  return { ...buffer, baseText: disk.text, baseHash: disk.hash, save: { phase: "unsaved" } };
}

function takeDisk(buffer: FileBuffer, disk: FileView): FileBuffer {
  return { ...openBuffer(disk), revision: buffer.revision + 1 };
}
