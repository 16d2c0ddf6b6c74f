/**
 * What the shell says about itself, as OSC 133 marks between its output (FinalTerm's shell integration). Each carries
 * the pane's secret, so that a program cannot end a step by printing a mark.
 *
 * - `B` prompt, at its end: ready for a command, or with `k=s` for the rest of one · `C` began: a command starts · `D` ended: with its exit status
 * - `P` ready: the shell's pid and terminal, once
 */
export type ShellMark =
  | { readonly type: "prompt" }
  | { readonly type: "continued" }
  | { readonly type: "began"; readonly command: string }
  | { readonly type: "ended"; readonly exit: number }
  | { readonly type: "ready"; readonly pid: number; readonly tty: string };

/** Output up to and including the mark's own bytes; the rest of a chunk has no mark. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly mark: ShellMark | undefined;
}

const ESC = 0x1b;
const BEL = 0x07;
const BACKSLASH = 0x5c;
const INTRODUCER: readonly number[] = [...Buffer.from("\x1b]133;")];

/** Longer is not ours; a command in a mark is cut by the shell. */
const MAX_PAYLOAD_BYTES = 8192;

/**
 * Finds the marks in a stream that may be cut at any byte. Bytes are passed through at once and unchanged, never held
 * back: a terminal that shows them ignores the marks.
 */
export class ShellMarkScanner {
  readonly #secret: string;
  /** How much of the introducer was seen. */
  #matched = 0;
  #payload: number[] | undefined;

  constructor(secret: string) {
    this.#secret = secret;
  }

  scan(chunk: Uint8Array): Segment[] {
    const segments: Segment[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#idle) at = nextEscape(chunk, at);
      if (at >= chunk.length) break;
      const mark = this.#step(chunk[at] ?? 0);
      at += 1;
      if (mark === undefined) continue;
      segments.push({ bytes: chunk.subarray(from, at), mark });
      from = at;
    }
    if (from < chunk.length) segments.push({ bytes: chunk.subarray(from), mark: undefined });
    return segments;
  }

  get #idle(): boolean {
    return this.#matched === 0 && this.#payload === undefined;
  }

  #step(byte: number): ShellMark | undefined {
    if (this.#payload === undefined) {
      this.#matchIntroducer(byte);
      return undefined;
    }
    const endsByEscape = this.#payload.at(-1) === ESC;
    if (byte === BEL || (endsByEscape && byte === BACKSLASH)) return this.#finish(endsByEscape ? 1 : 0);
    if (endsByEscape || this.#payload.length >= MAX_PAYLOAD_BYTES) this.#abandon(byte);
    else this.#payload.push(byte);
    return undefined;
  }

  #matchIntroducer(byte: number): void {
    if (byte === INTRODUCER[this.#matched]) this.#matched += 1;
    else this.#matched = byte === ESC ? 1 : 0;
    if (this.#matched < INTRODUCER.length) return;
    this.#matched = 0;
    this.#payload = [];
  }

  /** An escape that does not end the string begins something else, perhaps the next mark. */
  #abandon(byte: number): void {
    const wasEscape = this.#payload?.at(-1) === ESC;
    this.#payload = undefined;
    this.#matched = wasEscape ? 1 : 0;
    this.#matchIntroducer(byte);
  }

  #finish(trailingBytes: number): ShellMark | undefined {
    const payload = Buffer.from(this.#payload ?? []);
    this.#payload = undefined;
    return parseMark(payload.subarray(0, payload.length - trailingBytes).toString("utf8"), this.#secret);
  }
}

function nextEscape(chunk: Uint8Array, from: number): number {
  const found = chunk.indexOf(ESC, from);
  return found < 0 ? chunk.length : found;
}

/** `B;key=…`, `B;k=s;key=…`, `C;key=…;command`, `D;status;key=…`, `P;key=…;pid;tty`. */
function parseMark(payload: string, secret: string): ShellMark | undefined {
  const key = `;key=${secret}`;
  const [kind, ...rest] = payload.split(";");
  if (!payload.includes(key)) return undefined;
  if (kind === "B") return { type: rest[0] === "k=s" ? "continued" : "prompt" };
  if (kind === "C") return { type: "began", command: rest.slice(1).join(";").trim() };
  if (kind === "D") return { type: "ended", exit: Number.parseInt(rest[0] ?? "", 10) || 0 };
  if (kind !== "P") return undefined;
  return { type: "ready", pid: Number.parseInt(rest[1] ?? "", 10), tty: rest[2] ?? "" };
}
