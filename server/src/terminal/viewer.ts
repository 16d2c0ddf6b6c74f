import type { Frame, PaneState } from "../protocol/index.ts";
import { ScreenGone } from "./errors.ts";
import { countLines } from "./flood-gate.ts";
import type { Pane } from "./pane.ts";

/** More than this sent and not yet rendered: the viewer is slow, and gets no more. */
const BEHIND_BYTES = 100_000;
/** Rendered down to this (a browser acknowledges every 5 000 bytes): it may have the screen as it is now. */
const CAUGHT_UP_BYTES = 5000;
/** Lines above the screen for one that comes, and for one that was slow and has seen the older ones. */
const SCROLLBACK = { attach: 1000, resume: 200 } as const;

export interface ViewerOptions {
  readonly pane: Pane;
  readonly send: (frame: Frame) => void;
  /** Output was left out: for this viewer, which was slow and now gets a snapshot, or for everybody in a flood. */
  readonly skipped: (lines: number) => void;
}

/**
 * - `live`: gets output as it comes
 * - `behind`: gets nothing until it has rendered what it has
 * - `drawing`: a snapshot for it is being made
 */
type Phase = "detached" | "live" | "behind" | "drawing";

/**
 * One browser's view of one pane. A slow browser is skipped and then sent the screen as it is; it never slows the
 * pane's program, which a paused terminal would, and never costs more memory than it has been sent.
 */
export class Viewer implements Disposable {
  readonly #options: ViewerOptions;
  #phase: Phase = "detached";
  #epoch: number;
  #unacked = 0;
  #skippedLines = 0;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#epoch = options.pane.state.epoch;
  }

  /** Begins. A viewer that says what it `has` gets only the rest, when that is still kept. */
  attach(has?: { readonly epoch: number; readonly seq: number }): void {
    const { pane } = this.#options;
    if (this.#phase !== "detached") return;
    const missing = has === undefined ? undefined : pane.since(has.epoch, has.seq);
    pane.events.on("output", this.#onOutput);
    pane.events.on("state", this.#onState);
    pane.events.on("flooded", this.#options.skipped);
    if (has === undefined || missing === undefined || missing.length > BEHIND_BYTES) {
      void this.#draw(SCROLLBACK.attach);
      return;
    }
    this.#phase = "live";
    if (missing.length > 0) this.#sendData(missing, has.seq);
  }

  /** The browser rendered this many bytes more. */
  ack(bytes: number): void {
    this.#unacked = Math.max(0, this.#unacked - bytes);
    if (this.#phase === "behind" && this.#unacked < CAUGHT_UP_BYTES) void this.#draw(SCROLLBACK.resume);
  }

  [Symbol.dispose](): void {
    this.#phase = "detached";
    const { pane, skipped } = this.#options;
    pane.events.off("output", this.#onOutput);
    pane.events.off("state", this.#onState);
    pane.events.off("flooded", skipped);
  }

  readonly #onOutput = (bytes: Uint8Array, seq: number): void => {
    if (this.#phase === "behind") this.#skippedLines += countLines(bytes);
    if (this.#phase === "live") this.#sendData(bytes, seq);
  };

  /** A new shell has a new screen, whatever the browser is still busy with. */
  readonly #onState = (state: PaneState): void => {
    if (state.epoch === this.#epoch) return;
    this.#epoch = state.epoch;
    this.#unacked = 0;
    this.#skippedLines = 0;
    void this.#draw(SCROLLBACK.attach);
  };

  #sendData(bytes: Uint8Array, seq: number): void {
    this.#unacked += bytes.length;
    this.#send("data", bytes, seq);
    if (this.#unacked > BEHIND_BYTES) this.#phase = "behind";
  }

  /** Sends the screen, and what came while it was made. */
  async #draw(scrollback: number): Promise<void> {
    this.#phase = "drawing";
    const { pane } = this.#options;
    const snapshot = await pane.snapshot(scrollback).catch(unlessGone);
    // Detached meanwhile, or a newer shell's screen is on its way.
    if (this.#phase !== "drawing" || snapshot?.epoch !== this.#epoch) return;
    const { epoch, seq, data } = snapshot;
    const missing = pane.since(epoch, seq);
    if (missing === undefined) return this.#draw(scrollback);
    if (this.#skippedLines > 0) this.#options.skipped(this.#skippedLines);
    this.#skippedLines = 0;
    this.#send("snapshot", Buffer.from(data), seq);
    this.#phase = "live";
    if (missing.length > 0) this.#sendData(missing, seq);
  }

  #send(kind: "data" | "snapshot", bytes: Uint8Array, seq: number): void {
    this.#options.send({ kind, pane: this.#options.pane.id, seq: seq >>> 0, bytes });
  }
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof ScreenGone)) throw error;
}
