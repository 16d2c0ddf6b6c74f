import { StringDecoder } from "node:string_decoder";
import type { Logger } from "pino";
import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import { type Playground, PlaygroundRefusal, type PlaygroundRequest } from "../playground/index.ts";
import {
  type ClientMessage,
  clientMessage,
  decodeFrame,
  encodeFrame,
  PANE_IDS,
  type PaneId,
  type ServerMessage,
} from "../protocol/index.ts";
import { Viewer } from "../terminal/index.ts";
import { Outbox } from "./outbox.ts";

/** How long a new connection may take to say hello, in milliseconds. */
const HELLO_MS = 10_000;

/** Requests of one browser that may be under way at once. */
const MOST_REQUESTS = 20;

/** Messages that are not of the protocol, until the connection is closed. */
const MOST_MISTAKES = 20;

/** Close codes of RFC 6455, and 1013 "try again later" of its registry. */
export const CLOSE = { goingAway: 1001, policy: 1008, tryLater: 1013 } as const;

export interface SessionDeps {
  readonly socket: WebSocket;
  readonly playground: Playground;
  readonly log: Logger;
}

type Immediate = Exclude<ClientMessage, PlaygroundRequest>;

/** One browser: its views of the panes, what it asks, what it is told. Ends with its socket. */
export class Session implements Disposable {
  readonly #deps: SessionDeps;
  readonly #outbox: Outbox;
  readonly #viewers = new Map<PaneId, Viewer>();
  /** Keystrokes arrive in pieces that may part a character. */
  readonly #decoders = new Map<PaneId, StringDecoder>(PANE_IDS.map((id) => [id, new StringDecoder("utf8")]));
  readonly #helloTimer: NodeJS.Timeout;
  #isGreeted = false;
  #requests = 0;
  #mistakes = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    const { socket, playground } = deps;
    this.#outbox = new Outbox({ socket, onFull: () => socket.terminate() });
    this.#helloTimer = setTimeout(() => socket.close(CLOSE.policy, "no hello"), HELLO_MS);
    this.#helloTimer.unref();
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.once("close", () => this[Symbol.dispose]());
    playground.events.on("message", this.#onMessage);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#helloTimer);
    this.#deps.playground.events.off("message", this.#onMessage);
    for (const viewer of this.#viewers.values()) viewer[Symbol.dispose]();
    this.#viewers.clear();
    this.#outbox[Symbol.dispose]();
  }

  /** Before the greeting there is nothing to bring up to date. */
  readonly #onMessage = (message: ServerMessage): void => {
    if (this.#isGreeted) this.#outbox.put(message);
  };

  #receive(data: RawData, isBinary: boolean): void {
    const bytes = toBuffer(data);
    if (isBinary) return this.#type(bytes);
    const message = parse(bytes);
    if ("mistake" in message) return this.#mistake(message.mistake, message.request);
    if (message.type === "hello") return this.#greet(message);
    if (!this.#isGreeted) return this.#mistake("The first message has to be hello.");
    if ("request" in message) void this.#answer(message);
    else this.#obey(message);
  }

  #type(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame?.kind !== "input" || !this.#isGreeted) return this.#mistake("This frame is no keyboard input.");
    const text = this.#decoders.get(frame.pane)?.write(Buffer.from(frame.bytes)) ?? "";
    this.#deps.playground.panes[frame.pane].write(text);
  }

  #greet(hello: Extract<ClientMessage, { type: "hello" }>): void {
    if (this.#isGreeted) return this.#mistake("There was a hello already.");
    clearTimeout(this.#helloTimer);
    this.#isGreeted = true;
    const { playground } = this.#deps;
    for (const message of playground.greeting()) this.#outbox.put(message);
    for (const id of PANE_IDS) {
      const viewer = this.#view(id);
      this.#viewers.set(id, viewer);
      viewer.attach(Object.hasOwn(hello.panes, id) ? hello.panes[id] : undefined);
    }
  }

  #view(id: PaneId): Viewer {
    return new Viewer({
      pane: this.#deps.playground.panes[id],
      send: (frame) => this.#outbox.putFrame(encodeFrame(frame)),
      skipped: (lines) => this.#outbox.put({ type: "skipped", pane: id, lines }),
    });
  }

  #obey(message: Exclude<Immediate, { type: "hello" }>): void {
    const { panes } = this.#deps.playground;
    switch (message.type) {
      case "resize":
        return panes[message.pane].resize(message.cols, message.rows);
      case "ack":
        return this.#viewers.get(message.pane)?.ack(message.bytes);
      case "interrupt":
        return panes[message.pane].interrupt();
      case "ping":
        return this.#outbox.put({ type: "pong" });
    }
  }

  async #answer(message: PlaygroundRequest): Promise<void> {
    const { request } = message;
    if (this.#requests >= MOST_REQUESTS) {
      const text = "Too much at once. Wait until what you asked for is done.";
      return this.#outbox.put({ type: "error", request, code: "busy", message: text });
    }
    this.#requests += 1;
    try {
      await this.#deps.playground.answer(message);
      this.#outbox.put({ type: "done", request });
    } catch (error) {
      this.#outbox.put({ type: "error", request, ...this.#describe(error) });
    } finally {
      this.#requests -= 1;
    }
  }

  #describe(error: unknown): Pick<PlaygroundRefusal, "code" | "message"> {
    if (error instanceof PlaygroundRefusal) return { code: error.code, message: error.message };
    this.#deps.log.error({ err: error }, "a request failed");
    return { code: "failed", message: "The server failed. Its log, in its terminal, says how." };
  }

  #mistake(message: string, request: string | null = null): void {
    this.#mistakes += 1;
    if (this.#mistakes > MOST_MISTAKES) this.#deps.socket.close(CLOSE.policy, "not this protocol");
    else this.#outbox.put({ type: "error", request, code: "bad-message", message });
  }
}

interface Mistake {
  readonly mistake: string;
  /** Who asked waits for an answer, if it can be told. */
  readonly request: string | null;
}

const asking = z.object({ request: z.string().max(100) });

/** The message, or what is wrong with it. */
function parse(bytes: Buffer): ClientMessage | Mistake {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    const parsed = clientMessage.safeParse(value);
    if (parsed.success) return parsed.data;
    const mistake = "This message is not of the protocol. Reload the page.";
    return { mistake, request: asking.safeParse(value).data?.request ?? null };
  } catch {
    return { mistake: "This message is no JSON.", request: null };
  }
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
