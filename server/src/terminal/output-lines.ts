/** Longer lines are cut, and say so: a program may print megabytes without a newline. */
export const MAX_LINE_LENGTH: number = 16 * 1024;
const CUT = " … [line cut]";

type Mode = "text" | "escape" | "csi" | "string" | "string-escape" | "charset";

/**
 * Turns terminal bytes into plain finished lines: escape sequences and control characters are gone, a carriage return
 * starts the line over (so a progress bar is its last state), a backspace takes a character back.
 *
 * Works byte stream in, lines out, in linear time; a sequence or a character may be cut anywhere.
 */
export class OutputLines {
  readonly #decoder = new TextDecoder("utf-8");
  #mode: Mode = "text";
  #line = "";
  #returned = false;
  #cut = false;

  /** What is on the last, unfinished line. */
  get partial(): string {
    return this.#line;
  }

  /** The lines that these bytes finished. */
  feed(bytes: Uint8Array): string[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const lines: string[] = [];
    let plainFrom = -1;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#mode === "text" && isPlain(code)) {
        if (plainFrom < 0) plainFrom = at;
        continue;
      }
      if (plainFrom >= 0) this.#append(text.slice(plainFrom, at));
      plainFrom = -1;
      if (this.#mode !== "text") this.#mode = afterByte(this.#mode, code);
      else if (code === 0x0a) lines.push(this.#finish());
      else this.#control(code);
    }
    if (plainFrom >= 0) this.#append(text.slice(plainFrom));
    return lines;
  }

  /** Forgets the unfinished line, and any sequence that it broke off in. */
  clear(): void {
    this.#decoder.decode();
    this.#mode = "text";
    this.#finish();
  }

  #append(text: string): void {
    if (this.#returned) this.#line = "";
    this.#returned = false;
    const room = MAX_LINE_LENGTH - this.#line.length;
    this.#line += text.slice(0, room);
    this.#cut ||= text.length > room;
  }

  #finish(): string {
    const line = this.#cut ? this.#line + CUT : this.#line;
    this.#line = "";
    this.#returned = false;
    this.#cut = false;
    return line;
  }

  #control(code: number): void {
    if (code === 0x0d) this.#returned = true;
    else if (code === 0x08) this.#line = this.#line.slice(0, -1);
    else if (code === 0x1b) this.#mode = "escape";
    else if (code === 0x9b) this.#mode = "csi";
    else if (code === 0x90 || code === 0x9d) this.#mode = "string";
  }
}

/** Printable or a tab. C1 controls (0x80–0x9f) are not. */
function isPlain(code: number): boolean {
  return (code >= 0x20 && code < 0x7f) || code >= 0xa0 || code === 0x09;
}

/** @see ECMA-48 5.3–5.6; strings end with ST or, as xterm has it, BEL. CAN and SUB break anything off. */
function afterByte(mode: Exclude<Mode, "text">, code: number): Mode {
  if (code === 0x18 || code === 0x1a) return "text";
  switch (mode) {
    case "escape":
      return afterEscape(code);
    case "csi":
      if (code === 0x1b) return "escape";
      return code >= 0x40 && code <= 0x7e ? "text" : "csi";
    case "string":
      if (code === 0x1b) return "string-escape";
      return code === 0x07 || code === 0x9c ? "text" : "string";
    case "string-escape":
      return code === 0x5c ? "text" : afterEscape(code);
    case "charset":
      return "text";
  }
}

function afterEscape(code: number): Mode {
  const char = String.fromCharCode(code);
  if (char === "[") return "csi";
  if ("]PX^_".includes(char)) return "string";
  if (code === 0x1b) return "escape";
  return code >= 0x20 && code <= 0x2f ? "charset" : "text";
}
