/** What passes per second before output counts as a flood; nobody reads a tenth of it. */
export interface FloodLimits {
  readonly bytesPerSecond: number;
  readonly linesPerSecond: number;
  /** How much of the newest output is kept while more is coming than passes. */
  readonly tailBytes: number;
}

/**
 * Parsing manages 9 MB/s of `yes` and 50 MB/s of log lines on one core; a tenth of that leaves the server free for
 * other panes and requests. The tail holds more than the screen's scrollback of ordinary lines.
 */
export const FLOOD_LIMITS: FloodLimits = {
  bytesPerSecond: 5_000_000,
  linesPerSecond: 100_000,
  tailBytes: 512 * 1024,
};

const NEWLINE = 0x0a;
const ESC = "\x1b";
const PRIVATE_MODE: RegExp = new RegExp(`${ESC}\\[\\?([\\d;]{1,20})([hl])`, "g");

/**
 * Lets a terminal's output through as it comes, and of a flood only the newest part of every while. The program is never
 * slowed for it: what is left out was read, counted, and replaced by a line that says so.
 *
 * Everything behind the gate (screen, ring, viewers) sees the same shortened stream, so they agree about it.
 */
export class FloodGate {
  readonly #limits: FloodLimits;
  readonly #monotonic: () => number;
  #bytes: number;
  #lines: number;
  #filledAt: number;
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #arrived = 0;
  #dropped = 0;
  #modes = new Map<string, string>();
  #flooding = false;

  /** @param monotonic milliseconds. */
  constructor(limits: FloodLimits, monotonic: () => number) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    this.#bytes = limits.bytesPerSecond;
    this.#lines = limits.linesPerSecond;
    this.#filledAt = monotonic();
  }

  /** While true, `tick` has to be called about ten times a second. */
  get flooding(): boolean {
    return this.#flooding;
  }

  /** What of these bytes passes now: all or, in a flood, nothing. */
  push(bytes: Uint8Array): Uint8Array | undefined {
    if (!this.#flooding && this.#spend(bytes)) return bytes;
    this.#flooding = true;
    this.#arrived += bytes.length;
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    while (this.#tailBytes - (this.#tail[0]?.length ?? 0) >= this.#limits.tailBytes) this.#dropOldest();
    return undefined;
  }

  /** The next part of a flood; its whole tail when it is over. */
  tick(): FloodPart {
    this.#fill();
    const allowance = Math.max(0, this.#bytes);
    const over = this.#arrived <= allowance && this.#tailLines() <= this.#lines;
    this.#arrived = 0;
    return over ? this.flush() : this.#newest(allowance);
  }

  /** Everything that is kept: the command has ended, or someone waits for what it said. */
  flush(): FloodPart {
    this.#flooding = false;
    return this.#take(this.#tail);
  }

  #newest(allowance: number): FloodPart {
    const kept: Uint8Array[] = [];
    let bytes = 0;
    let lines = 0;
    for (const chunk of this.#tail.toReversed()) {
      bytes += chunk.length;
      lines += countLines(chunk);
      if (kept.length > 0 && (bytes > allowance || lines > this.#lines)) break;
      kept.unshift(chunk);
    }
    while (this.#tail.length > kept.length) this.#dropOldest();
    return this.#take(kept);
  }

  #take(chunks: readonly Uint8Array[]): FloodPart {
    const joined = Buffer.concat(chunks);
    const lines = this.#dropped;
    const bytes = lines === 0 ? joined : Buffer.concat([this.#seam(), fromLineStart(joined)]);
    this.#tail = [];
    this.#tailBytes = 0;
    this.#dropped = 0;
    this.#modes = new Map();
    this.#bytes -= bytes.length;
    this.#lines -= countLines(bytes);
    return { bytes, skippedLines: lines };
  }

  /** Ends whatever sequence the stream was cut in, says what is missing, and repeats the modes that were set in it. */
  #seam(): Uint8Array {
    const count = this.#dropped.toLocaleString("en-US").replaceAll(",", " ");
    const modes = [...this.#modes].map(([mode, state]) => `\x1b[?${mode}${state}`).join("");
    return Buffer.from(
      `\x18\x1b[0m\r\n\x1b[2m… ${count} lines skipped: too fast to show …\x1b[0m\r\n${modes}`,
    );
  }

  #dropOldest(): void {
    const oldest = this.#tail.shift();
    if (oldest === undefined) return;
    this.#tailBytes -= oldest.length;
    this.#dropped += Math.max(1, countLines(oldest));
    if (!oldest.includes(0x1b)) return;
    for (const [, modes, state] of Buffer.from(oldest).toString("latin1").matchAll(PRIVATE_MODE)) {
      for (const mode of (modes ?? "").split(";")) this.#modes.set(mode, state ?? "l");
    }
  }

  #spend(bytes: Uint8Array): boolean {
    this.#fill();
    const lines = countLines(bytes);
    if (bytes.length > this.#bytes || lines > this.#lines) return false;
    this.#bytes -= bytes.length;
    this.#lines -= lines;
    return true;
  }

  #fill(): void {
    const now = this.#monotonic();
    const seconds = (now - this.#filledAt) / 1000;
    const { bytesPerSecond, linesPerSecond } = this.#limits;
    this.#filledAt = now;
    this.#bytes = Math.min(bytesPerSecond, this.#bytes + seconds * bytesPerSecond);
    this.#lines = Math.min(linesPerSecond, this.#lines + seconds * linesPerSecond);
  }

  #tailLines(): number {
    return this.#tail.reduce((sum, chunk) => sum + countLines(chunk), 0);
  }
}

export interface FloodPart {
  readonly bytes: Uint8Array;
  readonly skippedLines: number;
}

/** A plain loop: with the short lines of a flood it is several times faster than `indexOf`. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines += 1;
  return lines;
}

/** A line cut in the middle would look like one that was printed so. */
function fromLineStart(bytes: Uint8Array): Uint8Array {
  const newline = bytes.indexOf(NEWLINE);
  return newline < 0 || newline === bytes.length - 1 ? bytes : bytes.subarray(newline + 1);
}
