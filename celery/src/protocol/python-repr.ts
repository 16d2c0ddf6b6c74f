import { Verbatim } from "./raw-json.ts";

/** How much of a value is shown. */
export interface ReprLimits {
  /** Characters; what is cut is shown as `...`. Celery uses 1024 for arguments. */
  readonly maxLength?: number;
  /** Containers inside containers; deeper ones are shown as `[...]`. Celery's `task_repr_maxlevels`. */
  readonly maxLevels?: number;
}

/** `argsrepr` and `kwargsrepr` are cut at this many characters. @see celery 5.7.0 app/amqp.py */
const ARGUMENTS_REPR: ReprLimits = { maxLength: 1024 };

/** Positional arguments, which Python shows as a tuple: `(2, 3)`, `(2,)`. */
export function formatPythonArgs(args: readonly unknown[], limits: ReprLimits = ARGUMENTS_REPR): string {
  const writer = new Writer(limits);
  writer.items(args, "(", args.length === 1 ? ",)" : ")", 0);
  return writer.text;
}

/**
 * A value as Python's `repr` shows it, the way Celery cuts it for logs, events and `argsrepr`: quotes are escaped
 * and nothing else, so a text with a line break stays readable.
 * @see celery 5.7.0 utils/saferepr.py
 */
export function formatPython(value: unknown, limits: ReprLimits = {}): string {
  const writer = new Writer(limits);
  writer.value(value, 0);
  return writer.text;
}

/** A string as Python's own `repr` writes it, for exceptions: `ValueError('boom')`. */
export function formatPythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\'"\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => escapeChar(char, quote));
  return `${quote}${body}${quote}`;
}

/** A number as Python writes a float: `0.5`, `1e-05`, `1e+16`, `2.0`. */
export function formatPythonFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  // Where both languages write the same digits, which is nearly always.
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa = "0", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 16) {
    const fixed = Object.is(value, -0) ? "-0" : fixedNotation(value, exponent);
    return fixed.includes(".") ? fixed : `${fixed}.0`;
  }
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** JavaScript switches to exponents at other places than Python (below 1e-6). */
function fixedNotation(value: number, exponent: number): string {
  const plain = String(value);
  if (!plain.includes("e")) return plain;
  const digits = value.toExponential().replace(/e.*$/, "").replace(/[-.]/g, "");
  return `${value < 0 ? "-" : ""}0.${"0".repeat(-exponent - 1)}${digits}`;
}

/** Writes until the room is used up; from then on it only closes what is open, so that brackets always match. */
class Writer {
  text = "";
  #room: number;
  /** What is still to be closed, innermost first. */
  #closers = "";
  #isFull = false;
  readonly #maxLevels: number;

  constructor({ maxLength = Number.POSITIVE_INFINITY, maxLevels = 3 }: ReprLimits) {
    this.#room = maxLength;
    this.#maxLevels = maxLevels;
  }

  value(value: unknown, level: number): void {
    if (typeof value === "string") this.#quoted(value);
    else if (Array.isArray(value)) this.items(value, "[", "]", level);
    else if (value instanceof Verbatim) this.#verbatim(value.value, level);
    else if (isMapping(value)) this.#entries(sentAs(value), level);
    else this.#plain(scalar(value));
  }

  items(values: readonly unknown[], opener: string, closer: string, level: number): void {
    if (this.#isTooDeep(level)) return this.#whole(`${opener}...${closer}`);
    this.#open(opener, closer);
    for (let index = 0; index < values.length && !this.#isFull; index += 1) {
      if (index > 0) this.#plain(", ");
      this.value(values[index], level + 1);
    }
    this.#close(closer);
  }

  #entries(value: object, level: number): void {
    if (this.#isTooDeep(level)) return this.#whole("{...}");
    this.#open("{", "}");
    let separator = "";
    for (const [key, inner] of Object.entries(value)) {
      if (this.#isFull) return;
      if (separator !== "") this.#plain(separator);
      separator = ", ";
      this.#whole(`'${key.replaceAll("'", "\\'")}': `);
      this.value(inner, level + 1);
    }
    this.#close("}");
  }

  /** A number that is one in JavaScript, too, was a float. */
  #verbatim(value: unknown, level: number): void {
    if (typeof value === "number") this.#plain(formatPythonFloat(value));
    else this.value(value, level);
  }

  #isTooDeep(level: number): boolean {
    return this.#maxLevels > 0 && level >= this.#maxLevels;
  }

  #open(opener: string, closer: string): void {
    if (!this.#hasRoom()) return;
    this.#closers = closer + this.#closers;
    this.#put(opener);
  }

  #close(closer: string): void {
    if (this.#isFull) return;
    this.#closers = this.#closers.slice(closer.length);
    this.#put(closer);
  }

  #quoted(text: string): void {
    if (this.#hasRoom()) this.#put(`'${truncate(text, this.#room).replaceAll("'", "\\'")}'`);
  }

  #plain(text: string): void {
    if (this.#hasRoom()) this.#put(truncate(text, this.#room));
  }

  /** Never cut in its middle. */
  #whole(text: string): void {
    if (this.#hasRoom()) this.#put(text);
  }

  #put(shown: string): void {
    this.text += shown;
    this.#room -= shown.length;
  }

  #hasRoom(): boolean {
    if (this.#isFull) return false;
    if (this.#room > 0) return true;
    this.text += `, ...${this.#closers}`;
    this.#isFull = true;
    return false;
  }
}

/** @see celery 5.7.0 utils/text.py, `truncate`: cut at the last space that fits. */
function truncate(text: string, room: number): string {
  if (text.length < room) return text;
  const cut = text.slice(0, room);
  const space = cut.lastIndexOf(" ");
  return `${space === -1 ? cut : cut.slice(0, space)}...`;
}

/** A signature among the arguments travels as its dict, and is shown as that. */
function sentAs(value: object): object {
  if (!("toJSON" in value) || typeof value.toJSON !== "function") return value;
  const sent: unknown = value.toJSON();
  return typeof sent === "object" && sent !== null ? sent : value;
}

function isMapping(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array)
  );
}

function scalar(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? String(value) : formatPythonFloat(value);
  if (value instanceof Date) return formatDate(value);
  if (value instanceof Uint8Array) return `b'${bytesText(value)}'`;
  if (typeof value === "bigint") return String(value);
  return `<${typeof value}>`; // functions and symbols, which are never sent
}

function formatDate(date: Date): string {
  const micros = date.getUTCMilliseconds() * 1000;
  const parts = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  parts.push(date.getUTCHours(), date.getUTCMinutes());
  if (date.getUTCSeconds() > 0 || micros > 0) parts.push(date.getUTCSeconds());
  if (micros > 0) parts.push(micros);
  return `datetime.datetime(${parts.join(", ")}, tzinfo=datetime.timezone.utc)`;
}

function bytesText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("hex"); // not text: shown as hexadecimal, as Celery does
  }
}

function escapeChar(char: string, quote: string): string {
  if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
  const named: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const code = char.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\U${hex(code, 8)}`;
  return named[char] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
