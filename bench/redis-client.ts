import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

export type Reply = string | number | null | Error | readonly Reply[];

interface Parsed {
  readonly reply: Reply;
  readonly end: number;
}

/** One connection to Redis, for looking at what the measured programs do. Depends on none of the libraries that are measured. */
export class RedisClient implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("Redis closed the connection")));
  }

  static async open(port: number): Promise<RedisClient> {
    const socket = createConnection(port, "127.0.0.1");
    await once(socket, "connect");
    return new RedisClient(socket);
  }

  /** @throws Error with Redis's own words. */
  call(...words: readonly (string | number)[]): Promise<Reply> {
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${words.length}\r\n${parts.join("")}`);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (let parsed = parse(this.#received, at); parsed; parsed = parse(this.#received, at)) {
      at = parsed.end;
      const { reply } = parsed;
      if (reply instanceof Error) this.#waiting.shift()?.reject(reply);
      else this.#waiting.shift()?.resolve(reply);
    }
    this.#received = this.#received.subarray(at);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}

/** A reply that has not arrived as a whole is none yet. */
function parse(buffer: Buffer, start: number): Parsed | undefined {
  const lineEnd = buffer.indexOf("\r\n", start);
  if (lineEnd === -1) return undefined;
  const text = buffer.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(buffer[start] ?? 0)) {
    case "+":
      return { reply: text, end };
    case "-":
      return { reply: new Error(text), end };
    case ":":
      return { reply: Number(text), end };
    case "$":
      return parseBulk(buffer, Number(text), end);
    default:
      return parseArray(buffer, Number(text), end);
  }
}

function parseBulk(buffer: Buffer, length: number, start: number): Parsed | undefined {
  if (length === -1) return { reply: null, end: start };
  if (buffer.length < start + length + 2) return undefined;
  return { reply: buffer.toString("utf8", start, start + length), end: start + length + 2 };
}

function parseArray(buffer: Buffer, length: number, start: number): Parsed | undefined {
  if (length === -1) return { reply: null, end: start };
  const reply: Reply[] = [];
  let end = start;
  while (reply.length < length) {
    const item = parse(buffer, end);
    if (!item) return undefined;
    reply.push(item.reply);
    end = item.end;
  }
  return { reply, end };
}
