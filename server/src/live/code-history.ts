import type { FileSource } from "./live.ts";

/** Path → hash of every file of the lesson at one time. */
export type Snapshot = ReadonlyMap<string, string>;

const MAX_KEPT = 200;

/** How the lesson's files looked when, to tell which of them a running worker has read. */
export class CodeHistory {
  readonly #now: () => number;
  #files: FileSource | undefined;
  /** Oldest first; `at` is epoch milliseconds. */
  #versions: { readonly at: number; readonly snapshot: Snapshot }[] = [];
  readonly #note = (): void => this.#add();

  constructor(now: () => number) {
    this.#now = now;
  }

  follow(files: FileSource | undefined): void {
    this.#files?.events.off("changed", this.#note);
    this.#files = files;
    this.#versions = [];
    files?.events.on("changed", this.#note);
    if (files !== undefined) this.#versions.push({ at: 0, snapshot: files.hashes() });
  }

  /** The files at a time, in epoch milliseconds. */
  at(time: number): Snapshot {
    return this.#versions.findLast((version) => version.at <= time)?.snapshot ?? new Map();
  }

  /**
   * Whether a process that read `loaded` with `module` as its app runs other code than what the files say now. Content
   * counts, not time: a file that was put back is not old.
   */
  isOld(loaded: Snapshot, module: string): boolean {
    const files = this.#files;
    if (files === undefined) return false;
    const hashes = files.hashes();
    return filesOf(module, files).some((path) => hashes.get(path) !== loaded.get(path));
  }

  isLoaded(path: string, loaded: Snapshot): boolean {
    const hash = this.#files?.hashes().get(path);
    return hash !== undefined && hash === loaded.get(path);
  }

  #add(): void {
    if (this.#files === undefined) return;
    this.#versions.push({ at: this.#now(), snapshot: this.#files.hashes() });
    if (this.#versions.length > MAX_KEPT) this.#versions.shift();
  }
}

const EXTENSIONS = ["", ".ts", ".js", ".mjs", "/index.ts", "/index.js"];

/** The files that a module is made of: itself and what it imports from the lesson, directly or not. */
function filesOf(module: string, files: FileSource): readonly string[] {
  const found = new Set<string>();
  const waiting = [module];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = EXTENSIONS.map((extension) => `${name}${extension}`).find(
      (each) => files.file(each) !== undefined,
    );
    if (path === undefined || found.has(path)) continue;
    found.add(path);
    waiting.push(...importsOf(files.file(path)?.text ?? "").map((target) => resolveFrom(path, target)));
  }
  return [...found];
}

/** Relative names in imports, exports and literal file names beside the code (`"./reviews.tsv"`). */
function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/["'](\.{1,2}\/[\w./-]+)["']/g)].map((match) => match[1] ?? "");
}

function resolveFrom(path: string, target: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
