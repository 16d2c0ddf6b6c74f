import type { Reply } from "./resp.ts";

/**
 * A reply as redis-cli shows it to people: `(integer) 1`, `"text"`, numbered lists.
 *
 * @see redis 7.0.15 src/redis-cli.c, `cliFormatReplyTTY`
 */
export function formatForPeople(reply: Reply, indent: string = ""): string {
  switch (reply.kind) {
    case "status":
      return `${reply.text}\n`;
    case "error":
      return `(error) ${reply.text}\n`;
    case "integer":
      return `(integer) ${reply.text}\n`;
    case "bulk":
      return `${represent(reply.bytes)}\n`;
    case "nil":
      return "(nil)\n";
    case "array":
      return reply.items.length === 0 ? "(empty array)\n" : numbered(reply.items, indent);
  }
}

function numbered(items: readonly Reply[], indent: string): string {
  const width = String(items.length).length;
  const inner = indent + " ".repeat(width + 2);
  return items
    .map((item, index) => {
      const number = `${String(index + 1).padStart(width)}) `;
      return (index === 0 ? "" : indent) + number + formatForPeople(item, inner);
    })
    .join("");
}

/**
 * A reply as redis-cli writes it into a pipe: nothing but the data.
 *
 * @see redis 7.0.15 src/redis-cli.c, `cliFormatReplyRaw`
 */
export function formatForPrograms(reply: Reply): string {
  switch (reply.kind) {
    case "status":
    case "error":
    case "integer":
      return reply.text;
    case "bulk":
      return reply.bytes.toString("utf8");
    case "nil":
      return "";
    case "array":
      return reply.items.map(formatForPrograms).join("\n");
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

/** @see redis 7.0.15 src/sds.c, `sdscatrepr`: everything outside printable ASCII as `\xHH`, byte by byte */
function represent(bytes: Buffer): string {
  const shown = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character in ESCAPES) return ESCAPES[character];
    return byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${shown.join("")}"`;
}
