import type { Json } from "../checks/facts.ts";

/** Events carry arguments and results as Python writes them, cut at 1024 characters. */
const MAX_TEXT = 10_000;
const MAX_DEPTH = 20;

/**
 * The value of a Python literal: numbers, texts, `True`, `None`, lists, tuples, dicts.
 *
 * @returns undefined for anything else, as for a text that was cut (`…`) or an object's repr.
 */
export function parsePythonLiteral(text: string): Json | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const reader = new LiteralReader(text);
  try {
    return reader.readAll();
  } catch (error) {
    if (error instanceof NotALiteral) return undefined;
    throw error;
  }
}

class NotALiteral extends Error {}

const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
]);
const CODE_LENGTH: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw new NotALiteral();
    return value;
  }

  #value(): Json {
    this.#space();
    const char = this.#text.charAt(this.#at);
    if (char === "[") return this.#nested(() => this.#items("]"));
    if (char === "(") return this.#nested(() => this.#tuple());
    if (char === "{") return this.#nested(() => this.#dict());
    if (char === "'" || char === '"') return this.#string();
    return this.#wordOrNumber();
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NotALiteral();
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #items(close: string): readonly Json[] {
    const items: Json[] = [];
    while (!this.#took(close)) {
      items.push(this.#value());
      if (!this.#took(",")) {
        this.#expect(close);
        break;
      }
    }
    return items;
  }

  /** `(4)` is a number in brackets, but no repr of arguments looks so: a tuple of one is `(4,)`. */
  #tuple(): readonly Json[] {
    return this.#items(")");
  }

  #dict(): Json {
    const entries: [string, Json][] = [];
    while (!this.#took("}")) {
      const key = this.#value();
      this.#expect(":");
      entries.push([typeof key === "string" ? key : JSON.stringify(key), this.#value()]);
      if (!this.#took(",")) {
        this.#expect("}");
        break;
      }
    }
    return Object.fromEntries(entries);
  }

  #string(): string {
    const quote = this.#text.charAt(this.#at);
    let value = "";
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text.charAt(this.#at);
      if (char === quote) {
        this.#at += 1;
        return value;
      }
      value += char === "\\" ? this.#escape() : char;
    }
    throw new NotALiteral();
  }

  /** Leaves the position on the escape's last character. */
  #escape(): string {
    this.#at += 1;
    const char = this.#text.charAt(this.#at);
    const length = CODE_LENGTH.get(char);
    if (length === undefined) return ESCAPES.get(char) ?? char;
    const digits = this.#text.slice(this.#at + 1, this.#at + 1 + length);
    const code = Number.parseInt(digits, 16);
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length || code > 0x10ffff) throw new NotALiteral();
    this.#at += length;
    return String.fromCodePoint(code);
  }

  #wordOrNumber(): Json {
    const word = /^[-+.\w]+/.exec(this.#text.slice(this.#at, this.#at + 400))?.[0] ?? "";
    this.#at += word.length;
    const known = WORDS.get(word);
    if (known !== undefined) return known;
    if (!/^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(word)) throw new NotALiteral();
    return Number(word);
  }

  #space(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #took(char: string): boolean {
    this.#space();
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    return true;
  }

  #expect(char: string): void {
    if (!this.#took(char)) throw new NotALiteral();
  }
}
