/** One reply of Redis, protocol version 2. `error` is a reply like any other here: it goes on a screen. */
export type Reply =
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "integer"; readonly text: string }
  | { readonly kind: "bulk"; readonly bytes: Buffer }
  | { readonly kind: "nil" }
  | { readonly kind: "array"; readonly items: readonly Reply[] };

/** A command as Redis reads it: an array of bulk strings. */
export function encodeCommand(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

const CR = 0x0d;

/** Cuts a stream of bytes into replies; keeps what is not whole yet. */
export class ReplyDecoder {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Reply[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const replies: Reply[] = [];
    for (;;) {
      const found = read(this.rest, 0);
      if (found === undefined) return replies;
      replies.push(found.reply);
      this.rest = this.rest.subarray(found.end);
    }
  }
}

interface Found {
  readonly reply: Reply;
  readonly end: number;
}

function read(bytes: Buffer, start: number): Found | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const text = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[start] ?? CR)) {
    case "+":
      return { reply: { kind: "status", text }, end };
    case "-":
      return { reply: { kind: "error", text }, end };
    case ":":
      return { reply: { kind: "integer", text }, end };
    case "$":
      return readBulk(bytes, end, Number(text));
    case "*":
      return readArray(bytes, end, Number(text));
    default:
      return { reply: { kind: "error", text: "This is no Redis: its answer is not the protocol." }, end };
  }
}

function readBulk(bytes: Buffer, start: number, length: number): Found | undefined {
  if (length < 0) return { reply: { kind: "nil" }, end: start };
  if (bytes.length < start + length + 2) return undefined;
  return { reply: { kind: "bulk", bytes: bytes.subarray(start, start + length) }, end: start + length + 2 };
}

function readArray(bytes: Buffer, start: number, length: number): Found | undefined {
  if (length < 0) return { reply: { kind: "nil" }, end: start };
  const items: Reply[] = [];
  let end = start;
  for (let index = 0; index < length; index += 1) {
    const found = read(bytes, end);
    if (found === undefined) return undefined;
    items.push(found.reply);
    end = found.end;
  }
  return { reply: { kind: "array", items }, end };
}
