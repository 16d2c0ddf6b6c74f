import { appendFile, closeSync, fstatSync, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { DaemonError } from "./daemon-error.ts";
import { makeFolder } from "./make-folder.ts";

/** What a log file takes, until it is closed. */
export interface LogFile extends AsyncDisposable {
  write(text: string): void;
}

const append = promisify(appendFile);

/**
 * Appends; folders on the way are made. A file that was moved away or deleted (log rotation) is begun anew before the next line, so that
 * nobody has to be told.
 *
 * @param warn told once when lines cannot be written, until they can be again: a full disk must not end a worker that can still run tasks.
 * @throws DaemonError when it cannot be written now.
 * @see celery 5.7.0 app/log.py, `_detect_handler`, and Python's `WatchedFileHandler`
 */
export function openLogFile(path: string, warn: (text: string) => void): LogFile {
  return new WatchedFile(path, warn);
}

/** @returns a file descriptor to append with. @throws DaemonError */
export function openLog(path: string): number {
  try {
    makeFolder(dirname(path));
    return openSync(path, "a");
  } catch (cause) {
    throw new DaemonError(`The log file ${path} cannot be written: ${String(cause)}`, { cause });
  }
}

class WatchedFile implements LogFile {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  #fd: number;
  readonly #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#fd = openLog(path);
  }

  write(text: string): void {
    this.#waiting.push(text);
    this.#writing ??= this.#writeAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    try {
      closeSync(this.#fd);
    } catch (error) {
      this.#complain(error); // a network drive says only now that it is full
    }
  }

  /** What comes while a piece is written makes the next one: a look at the file for each line would cost more than the lines. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#waiting.splice(0).join("");
      const [wasReopened, wasWritten] = [
        await this.#try(() => this.#reopenIfMoved()),
        await this.#try(() => append(this.#fd, text)),
      ];
      if (wasReopened && wasWritten) this.#hasFailed = false;
    }
    this.#writing = undefined;
  }

  /** Opens before it closes: if there is no new file to be had, the old one takes the lines. */
  async #reopenIfMoved(): Promise<void> {
    const there = await stat(this.#path).catch(ifMissing);
    const { dev, ino } = fstatSync(this.#fd);
    if (there?.dev === dev && there.ino === ino) return;
    const old = this.#fd;
    this.#fd = openLog(this.#path);
    closeSync(old);
  }

  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#complain(error);
      return false;
    }
  }

  #complain(error: unknown): void {
    if (!this.#hasFailed)
      this.#warn(`The log file ${this.#path} cannot be written, lines may be missing: ${String(error)}`);
    this.#hasFailed = true;
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
