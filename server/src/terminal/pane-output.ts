import { ByteRing } from "./byte-ring.ts";
import { FLOOD_LIMITS, FloodGate, type FloodLimits } from "./flood-gate.ts";
import { OutputLines } from "./output-lines.ts";
import { Screen, type ScreenOptions } from "./screen.ts";
import { type ShellMark, ShellMarkScanner } from "./shell-marks.ts";

/** A delta for a viewer that was away; more is cheaper as a snapshot. */
const RING_BYTES = 256 * 1024;
const BATCH_BYTES = 32 * 1024;
const BATCH_MS = 8;
/** After someone typed, the answer is not held back for a batch. */
const AT_ONCE_MS = 100;
/** The gate drops whole pieces; small ones let it keep close to its limits. */
const GATE_BYTES = 4 * 1024;
const FLOOD_TICK_MS = 100;

export interface PaneOutputOptions {
  readonly screen: ScreenOptions;
  readonly secret: string;
  /** Milliseconds. */
  readonly monotonic: () => number;
  readonly listener: OutputListener;
  readonly flood?: FloodLimits | undefined;
}

/** Who hears of the output, in this order: bytes, the lines in them, then the mark behind them. */
export interface OutputListener {
  output(bytes: Uint8Array, seq: number): void;
  line(text: string): void;
  partial(text: string): void;
  mark(mark: ShellMark): void;
  flooded(lines: number): void;
}

/**
 * One shell's output, from the terminal's bytes to everybody who follows it:
 * marks → flood gate → batches → ring, screen, lines, listener.
 */
export class PaneOutput {
  readonly screen: Screen;
  readonly #options: PaneOutputOptions;
  readonly #marks: ShellMarkScanner;
  readonly #gate: FloodGate;
  readonly #ring = new ByteRing(RING_BYTES);
  readonly #lines = new OutputLines();
  #listening: "no" | "after-echo" | "yes" = "no";
  #partial = "";
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #batchTimer: NodeJS.Timeout | undefined;
  #floodTimer: NodeJS.Timeout | undefined;
  #atOnceUntil = 0;
  #disposed = false;

  constructor(options: PaneOutputOptions) {
    this.#options = options;
    this.screen = new Screen(options.screen);
    this.#marks = new ShellMarkScanner(options.secret);
    this.#gate = new FloodGate(options.flood ?? FLOOD_LIMITS, options.monotonic);
  }

  /** Bytes that viewers have been given. */
  get seq(): number {
    return this.#ring.total;
  }

  since(seq: number): Uint8Array | undefined {
    return this.#ring.since(seq);
  }

  receive(chunk: Uint8Array): void {
    if (this.#disposed) return;
    for (const { bytes, mark } of this.#marks.scan(chunk)) {
      for (let from = 0; from < bytes.length; from += GATE_BYTES) {
        const passed = this.#gate.push(bytes.subarray(from, from + GATE_BYTES));
        if (passed !== undefined) this.#pass(passed);
      }
      if (mark !== undefined) this.#take(mark);
    }
    if (this.#gate.flooding) this.#floodTimer ??= setInterval(() => this.#tick(), FLOOD_TICK_MS);
  }

  /** Adds words of our own to the output, for everybody to see. */
  say(text: string): void {
    this.#endFlood();
    this.#pass(Buffer.from(text));
    this.flush();
  }

  /** Someone typed: what comes back is shown without waiting for more. */
  hurry(): void {
    this.#atOnceUntil = this.#options.monotonic() + AT_ONCE_MS;
  }

  /** The shell cannot say when a command begins: what follows the end of the typed line is its output. */
  expectOutput(): void {
    this.flush();
    this.#lines.clear();
    this.#listening = "after-echo";
  }

  /** Hands out what is collected. */
  flush(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#batchBytes === 0) return;
    const bytes = this.#batch.length === 1 ? (this.#batch[0] as Uint8Array) : Buffer.concat(this.#batch);
    const seq = this.#ring.total;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#ring.push(bytes);
    this.screen.write(bytes);
    this.#options.listener.output(bytes, seq);
    this.#readLines(bytes);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#batchTimer);
    clearInterval(this.#floodTimer);
    this.screen.dispose();
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    const now = this.#batchBytes >= BATCH_BYTES || this.#options.monotonic() < this.#atOnceUntil;
    if (now) this.flush();
    else this.#batchTimer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  #take(mark: ShellMark): void {
    this.#endFlood();
    this.flush();
    if (mark.type === "ended") this.#stopListening();
    if (mark.type === "continued") this.#listening = "no";
    if (mark.type === "began" && this.#listening !== "yes") this.#lines.clear();
    if (mark.type === "began") this.#listening = "yes";
    this.#options.listener.mark(mark);
  }

  #tick(): void {
    const { bytes, skippedLines } = this.#gate.tick();
    if (skippedLines > 0) this.#options.listener.flooded(skippedLines);
    this.#pass(bytes);
    this.flush();
    if (!this.#gate.flooding) this.#stopTicking();
  }

  #endFlood(): void {
    if (!this.#gate.flooding) return;
    const { bytes, skippedLines } = this.#gate.flush();
    if (skippedLines > 0) this.#options.listener.flooded(skippedLines);
    this.#pass(bytes);
    this.#stopTicking();
  }

  #stopTicking(): void {
    clearInterval(this.#floodTimer);
    this.#floodTimer = undefined;
  }

  /** A command's last line counts even without a newline at its end. */
  #stopListening(): void {
    const last = this.#listening === "no" ? "" : this.#lines.partial;
    this.#listening = "no";
    this.#partial = "";
    this.#lines.clear();
    if (last !== "") this.#options.listener.line(last);
  }

  #readLines(bytes: Uint8Array): void {
    if (this.#listening === "no") return;
    const { listener } = this.#options;
    for (const line of this.#lines.feed(bytes)) {
      if (this.#listening === "yes") listener.line(line);
      this.#listening = "yes";
    }
    const partial = this.#listening === "yes" ? this.#lines.partial : "";
    if (partial !== this.#partial && partial !== "") listener.partial(partial);
    this.#partial = partial;
  }
}
