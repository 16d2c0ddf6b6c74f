import { connect, type Socket } from "node:net";
import { encodeCommand, type Reply, ReplyDecoder } from "./resp.ts";

/** One socket; replies come in the order of the commands. */
export class Connection implements AsyncDisposable {
  private readonly socket: Socket;
  private readonly pending: Reply[] = [];
  private wake: () => void = () => undefined;
  private ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new ReplyDecoder();
    socket.on("data", (chunk) => {
      this.pending.push(...decoder.push(chunk));
      this.wake();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.ended = true;
      this.wake();
    });
  }

  /** @throws Error in redis-cli's own words when nobody listens. */
  static async open({ host, port }: { host: string; port: number }): Promise<Connection> {
    const socket = connect({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "ECONNREFUSED" ? "Connection refused" : error.message;
        reject(new Error(`Could not connect to Redis at ${host}:${port}: ${reason}`));
      });
    });
    return new Connection(socket);
  }

  /** @throws Error when the server closes the connection instead of answering. */
  async ask(words: readonly string[]): Promise<Reply> {
    this.socket.write(encodeCommand(words));
    for await (const reply of this.replies()) return reply;
    throw new Error("Error: Server closed the connection");
  }

  /** What comes without being asked for, until the connection ends. */
  async *replies(): AsyncIterable<Reply> {
    for (;;) {
      const reply = this.pending.shift();
      if (reply !== undefined) yield reply;
      else if (this.ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}
