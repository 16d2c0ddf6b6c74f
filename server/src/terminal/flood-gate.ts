/** What passes before output counts as a flood; nobody reads a tenth of it. */
export interface FloodLimits {
  readonly bytesPerSecond: number;
  readonly linesPerSecond: number;
  /** How long it may be any faster, in seconds at these rates. */
  readonly burstSeconds: number;
  /** How much of the newest output is kept while more is coming than passes. */
  readonly tailBytes: number;
  readonly tailLines: number;
}

/**
 * Parsing manages 9 MB/s of `yes` and 50 MB/s of log lines on one core; a small part of that leaves the server free
 * for other panes and requests. The tail is nearly the screen's whole scrollback: what is lost would have scrolled away, and the line
 * that says so is still there to be found.
 */
export const FLOOD_LIMITS: FloodLimits = {
  bytesPerSecond: 5_000_000,
  linesPerSecond: 60_000,
  burstSeconds: 0.5,
  tailBytes: 512 * 1024,
  tailLines: 3000,
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
  #tail: Chunk[] = [];
  #tailBytes = 0;
  #tailLines = 0;
  #arrived = 0;
  /** Since the last part that passed, and since the flood began. */
  #dropped = 0;
  #droppedInAll = 0;
  #modes = new Map<string, string>();
  #flooding = false;

  /** @param monotonic milliseconds. */
  constructor(limits: FloodLimits, monotonic: () => number) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    this.#bytes = limits.bytesPerSecond * limits.burstSeconds;
    this.#lines = limits.linesPerSecond * limits.burstSeconds;
    this.#filledAt = monotonic();
  }

  /** While true, `tick` has to be called about ten times a second. */
  get flooding(): boolean {
    return this.#flooding;
  }

  /** What of these bytes passes now: all or, in a flood, nothing. */
  push(bytes: Uint8Array): Uint8Array | undefined {
    const chunk = { bytes, lines: countLines(bytes) };
    if (!this.#flooding && this.#spend(chunk)) return bytes;
    this.#flooding = true;
    this.#arrived += bytes.length;
    this.#tail.push(chunk);
    this.#tailBytes += bytes.length;
    this.#tailLines += chunk.lines;
    while (this.#tailIsLong()) this.#dropOldest();
    return undefined;
  }

  /** The next part of a flood; its whole tail when it is over. */
  tick(): FloodPart {
    this.#fill();
    const over = this.#arrived <= this.#bytes && this.#tailLines <= this.#lines;
    this.#arrived = 0;
    if (over) return this.flush();
    this.#keepNewest();
    return this.#take();
  }

  /** Everything that is kept: the command has ended, or someone waits for what it said. */
  flush(): FloodPart {
    const part = this.#take();
    this.#flooding = false;
    this.#droppedInAll = 0;
    return part;
  }

  /** Never less than one chunk, so that a flood is seen to go on. */
  #keepNewest(): void {
    while (this.#tail.length > 1 && (this.#tailBytes > this.#bytes || this.#tailLines > this.#lines)) {
      this.#dropOldest();
    }
  }

  /** Without its oldest chunk it would still be long enough. */
  #tailIsLong(): boolean {
    const oldest = this.#tail[0];
    if (oldest === undefined || this.#tail.length === 1) return false;
    const { tailBytes, tailLines } = this.#limits;
    return this.#tailBytes - oldest.bytes.length >= tailBytes || this.#tailLines - oldest.lines >= tailLines;
  }

  #take(): FloodPart {
    const joined = Buffer.concat(this.#tail.map((chunk) => chunk.bytes));
    const skippedLines = this.#dropped;
    this.#droppedInAll += skippedLines;
    const whole = skippedLines === 0 ? joined : fromLineStart(joined);
    const bytes = this.#droppedInAll === 0 ? whole : Buffer.concat([this.#seam(), whole]);
    this.#bytes -= this.#tailBytes;
    this.#lines -= this.#tailLines;
    this.#tail = [];
    this.#tailBytes = 0;
    this.#tailLines = 0;
    this.#dropped = 0;
    this.#modes = new Map();
    return { bytes, skippedLines };
  }

  /** Ends whatever sequence the stream was cut in, says what is missing, and repeats the modes that were set in it. */
  #seam(): Uint8Array {
    const count = this.#droppedInAll.toLocaleString("en-US").replaceAll(",", " ");
    const modes = [...this.#modes].map(([mode, state]) => `\x1b[?${mode}${state}`).join("");
    return Buffer.from(
      `\x18\x1b[0m\r\n\x1b[2m… ${count} lines skipped: too fast to show …\x1b[0m\r\n${modes}`,
    );
  }

  #dropOldest(): void {
    const oldest = this.#tail.shift();
    if (oldest === undefined) return;
    this.#tailBytes -= oldest.bytes.length;
    this.#tailLines -= oldest.lines;
    this.#dropped += Math.max(1, oldest.lines);
    if (!oldest.bytes.includes(0x1b)) return;
    for (const [, modes, state] of Buffer.from(oldest.bytes).toString("latin1").matchAll(PRIVATE_MODE)) {
      for (const mode of (modes ?? "").split(";")) this.#modes.set(mode, state ?? "l");
    }
  }

  #spend({ bytes, lines }: Chunk): boolean {
    this.#fill();
    if (bytes.length > this.#bytes || lines > this.#lines) return false;
    this.#bytes -= bytes.length;
    this.#lines -= lines;
    return true;
  }

  #fill(): void {
    const now = this.#monotonic();
    const seconds = (now - this.#filledAt) / 1000;
    const { bytesPerSecond, linesPerSecond, burstSeconds } = this.#limits;
    this.#filledAt = now;
    this.#bytes = Math.min(burstSeconds * bytesPerSecond, this.#bytes + seconds * bytesPerSecond);
    this.#lines = Math.min(burstSeconds * linesPerSecond, this.#lines + seconds * linesPerSecond);
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly lines: number;
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
