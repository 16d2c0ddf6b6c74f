import type { EventEmitter } from "node:events";
import type { Logger } from "pino";
import type { EditSpec, Lesson } from "../lessons/lesson.ts";
import type { CheckState, EditState, FileView } from "../protocol/index.ts";

export interface WorkspaceEvents {
  /** A file got other bytes, by whatever hand. A removed file has text "" and hash "". */
  changed: [file: FileView];
}

/**
 * The learner's copy of one lesson's files, `<root>/<slug>/`. Disk is the truth: `files()` shows what was read last,
 * and every change on disk, by any program, is read again and announced.
 *
 * Paths are names relative to the lesson's folder. Nothing outside it is ever read or written.
 */
export interface Workspace extends AsyncDisposable {
  readonly slug: string;
  /** Working directory of the lesson's shells, absolute. */
  readonly dir: string;
  /** The lesson's files with a tab, in tab order. */
  files(): readonly FileView[];
  /** Any file of the lesson, with or without a tab; undefined for other names. */
  file(path: string): FileView | undefined;
  /** Path → SHA-256 of every file of the lesson as it is now. */
  hashes(): ReadonlyMap<string, string>;
  contains(path: string): boolean;
  /**
   * Writes a file in one step.
   *
   * @param base hash of the text that the writer started from.
   * @throws WorkspaceConflict when the file on disk has another hash by now.
   * @throws WorkspaceRefused for a path that is not a file of this lesson, or more than 256 KB.
   */
  save(path: string, text: string, base: string): Promise<FileView>;
  /**
   * @throws WorkspaceConflict when the edit does not fit what is in the file.
   */
  applyEdit(edit: EditSpec): Promise<FileView>;
  editStates(): Readonly<Record<string, EditState>>;
  /** Puts starting files back: one, or all. What was there goes to `<root>/.history/<slug>/<time>/` first. */
  reset(path?: string): Promise<void>;
  /** Checks that were green when the server last ran; kept in `.playground.json`. */
  readonly progress: {
    load(): readonly CheckState[];
    save(checks: readonly CheckState[]): Promise<void>;
  };
  readonly events: EventEmitter<WorkspaceEvents>;
}

/** The file changed under the writer. `message` says what to do; `current` is what is there now. */
export class WorkspaceConflict extends Error {
  readonly code = "WORKSPACE_CONFLICT";
  readonly current: FileView;
  constructor(message: string, current: FileView) {
    super(message);
    this.current = current;
  }
}

/** A path or text that no workspace takes. `message` quotes it and says why. */
export class WorkspaceRefused extends Error {
  readonly code = "WORKSPACE_REFUSED";
}

/** What `openWorkspace` (`open-workspace.ts`) takes. It copies missing starting files and resolves when files are read. */
export interface WorkspaceOptions {
  /** Folder of all workspaces, `.workspace`. */
  readonly root: string;
  readonly lesson: Lesson;
  readonly log: Logger;
}
