import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { applyEdit, editState } from "../lessons/edit.ts";
import type { EditSpec, Lesson } from "../lessons/lesson.ts";
import type { CheckState, EditState, FileView } from "../protocol/index.ts";
import { moveToHistory } from "./history.ts";
import { linkPackages } from "./packages.ts";
import { isPlainPath, makeFolder, readConfined, writeConfined } from "./paths.ts";
import { type Memory, readMemory, writeMemory } from "./progress.ts";
import { watchFiles } from "./watch-files.ts";
import {
  type Workspace,
  WorkspaceConflict,
  type WorkspaceEvents,
  type WorkspaceOptions,
  WorkspaceRefused,
} from "./workspace.ts";

/**
 * Prepares the learner's copy of a lesson: files that are missing are copied, files that the learner never touched
 * follow the lesson when it changed, all others are left alone.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { lesson, log } = options;
  await linkPackages(options.root);
  const root = await realpath(options.root);
  const dir = join(root, lesson.view.slug);
  await makeFolder(dir);
  if ((await realpath(dir)) !== dir) {
    throw new WorkspaceRefused(`${dir} is a link; remove it, and the lesson gets a folder of its own there.`);
  }
  const workspace = new LessonWorkspace({ root, dir, lesson, log, memory: await readMemory(dir) });
  await workspace.prepare();
  return workspace;
}

interface Deps {
  readonly root: string;
  readonly dir: string;
  readonly lesson: Lesson;
  readonly log: Logger;
  readonly memory: Memory;
}

class LessonWorkspace implements Workspace {
  readonly slug: string;
  readonly dir: string;
  readonly events: EventEmitter<WorkspaceEvents> = new EventEmitter();
  readonly progress: Workspace["progress"];
  readonly #root: string;
  readonly #lesson: Lesson;
  readonly #log: Logger;
  readonly #paths: readonly string[];
  readonly #starterHashes: ReadonlyMap<string, string>;
  readonly #views = new Map<string, FileView>();
  #memory: Memory;
  /** Reads and writes happen one after the other, so that none sees another half done. */
  #last: Promise<unknown> = Promise.resolve();
  #unwatch: () => void = () => {};
  #closed = false;

  constructor({ root, dir, lesson, log, memory }: Deps) {
    this.slug = lesson.view.slug;
    this.dir = dir;
    this.#root = root;
    this.#lesson = lesson;
    this.#log = log;
    this.#memory = memory;
    this.#paths = [...new Set([...lesson.files.keys(), ...lesson.edits.map((edit) => edit.file)])].filter(
      isPlainPath,
    );
    this.#starterHashes = new Map([...lesson.files].map(([path, text]) => [path, hashOf(text)]));
    this.progress = {
      load: () => this.#memory.checks,
      save: (checks) => this.#inTurn(() => this.#remember({ checks })),
    };
  }

  async prepare(): Promise<void> {
    await this.#inTurn(async () => {
      for (const path of this.#paths) {
        await this.#readFile(path);
        if (this.#isUntouched(path)) await this.#putStarter(path);
      }
      await this.#remember({ starters: Object.fromEntries(this.#starterHashes) });
    });
    this.#unwatch = watchFiles(this.dir, this.#paths, () => this.#rescan());
  }

  files(): readonly FileView[] {
    return this.#lesson.view.files.flatMap((path) => this.#views.get(path) ?? []);
  }

  file(path: string): FileView | undefined {
    return this.#views.get(path);
  }

  hashes(): ReadonlyMap<string, string> {
    return new Map([...this.#views].map(([path, view]) => [path, view.hash]));
  }

  contains(path: string): boolean {
    return this.#paths.includes(path);
  }

  save(path: string, text: string, base: string): Promise<FileView> {
    return this.#inTurn(async () => {
      const current = await this.#current(path);
      if (current.hash !== base && current.text !== text) {
        throw new WorkspaceConflict(
          `${path} was changed by another program meanwhile. Choose which text to keep.`,
          current,
        );
      }
      return this.#write(path, text);
    });
  }

  applyEdit(edit: EditSpec): Promise<FileView> {
    return this.#inTurn(async () => {
      const current = await this.#current(edit.file);
      if (editState(current.text, edit) === "applied") return current;
      const text = applyEdit(current.text, edit);
      if (text !== undefined) return this.#write(edit.file, text);
      throw new WorkspaceConflict(
        `${edit.file} no longer has the lines that this change begins with. Make the change by hand, or reset the file and apply it again.`,
        current,
      );
    });
  }

  editStates(): Readonly<Record<string, EditState>> {
    return Object.fromEntries(
      this.#lesson.edits.map((edit) => [edit.id, editState(this.#views.get(edit.file)?.text ?? "", edit)]),
    );
  }

  reset(path?: string): Promise<void> {
    return this.#inTurn(async () => {
      if (path !== undefined) this.#requireKnown(path);
      await makeFolder(this.dir);
      await linkPackages(this.#root);
      const paths = path === undefined ? this.#paths : [path];
      for (const each of paths) await this.#readFile(each);
      const changed = paths.filter((each) => this.#views.get(each)?.hash !== this.#starterHashes.get(each));
      const scope = path === undefined ? { others: true, known: this.#paths } : { others: false, known: [] };
      await moveToHistory({ root: this.#root, slug: this.slug, paths: changed, ...scope });
      for (const each of changed) await this.#putStarter(each);
      if (path === undefined) await this.#remember({ checks: [] });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {}); // Whoever asked gets the error; the next in turn must not.
    return result;
  }

  #rescan(): void {
    const scan = async (): Promise<void> => {
      for (const path of this.#paths) if (!this.#closed) await this.#readFile(path);
    };
    this.#inTurn(scan).catch((error: unknown) =>
      this.#log.warn({ err: error }, "could not look at the lesson's files"),
    );
  }

  #requireKnown(path: string): void {
    if (this.contains(path)) return;
    throw new WorkspaceRefused(`${JSON.stringify(path.slice(0, 80))} is not a file of this lesson.`);
  }

  /**
   * What is on disk now, or nothing: text and hash "".
   *
   * @throws WorkspaceRefused for what the page was never shown: a link, or a file too large. Writing would lose it.
   */
  async #current(path: string): Promise<FileView> {
    this.#requireKnown(path);
    const bytes = await readConfined(this.dir, path);
    if (bytes === undefined && !this.#views.has(path)) return { path, text: "", hash: "", edited: true };
    return this.#note(path, bytes);
  }

  async #write(path: string, text: string): Promise<FileView> {
    await writeConfined(this.dir, path, text);
    return this.#note(path, Buffer.from(text, "utf8"));
  }

  async #readFile(path: string): Promise<void> {
    const bytes = await readConfined(this.dir, path).catch((error: unknown) => {
      if (!(error instanceof WorkspaceRefused)) throw error;
      this.#log.warn({ path, reason: error.message }, "a file of the lesson is not read");
      return undefined;
    });
    const isExpected = this.#lesson.files.has(path) || this.#views.has(path);
    if (bytes !== undefined || isExpected) this.#note(path, bytes);
  }

  /** Remembers what a file is now, and tells when that is news. */
  #note(path: string, bytes: Buffer | undefined): FileView {
    const hash = bytes === undefined ? "" : hashOf(bytes);
    const before = this.#views.get(path);
    if (before?.hash === hash) return before;
    const edited = hash !== this.#starterHashes.get(path);
    const view: FileView = { path, text: bytes?.toString("utf8") ?? "", hash, edited };
    this.#views.set(path, view);
    if (before !== undefined || bytes !== undefined) this.events.emit("changed", view);
    return view;
  }

  /** Missing, or as an earlier version of the lesson left it. */
  #isUntouched(path: string): boolean {
    const hash = this.#views.get(path)?.hash;
    const isMissing = hash === "" && this.#lesson.files.has(path);
    return (
      isMissing ||
      (hash !== undefined && hash === this.#memory.starters[path] && hash !== this.#starterHashes.get(path))
    );
  }

  async #putStarter(path: string): Promise<void> {
    const text = this.#lesson.files.get(path);
    if (text === undefined) this.#note(path, undefined);
    else await this.#write(path, text);
  }

  async #remember(change: {
    readonly checks?: readonly CheckState[];
    readonly starters?: Memory["starters"];
  }): Promise<void> {
    this.#memory = { ...this.#memory, ...change };
    await makeFolder(this.dir);
    await writeMemory(this.dir, this.#memory);
  }
}

function hashOf(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
