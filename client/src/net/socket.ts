import type { ClientMessage, Frame, ServerMessage } from "server/protocol";
import { backoffMs, type Connection } from "../state/connection.ts";
import type { Link } from "../state/link.ts";
import { decodeFrame, encodeInput } from "./codec.ts";
import { openRequests } from "./requests.ts";

/** The parts of `WebSocket` that we use, so that a test can be the other end. */
export interface Wire {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Time, as the socket needs it. `after` calls back once and returns how to cancel. */
export interface SocketClock {
  now(): number;
  after(ms: number, then: () => void): () => void;
}

export interface SocketDeps {
  readonly connect: () => Wire;
  readonly clock: SocketClock;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Whether the server answers plain requests but refuses this page's key. Must not throw. */
  readonly isRefused: () => Promise<boolean>;
  readonly hello: () => ClientMessage;
  readonly onConnection: (connection: Connection) => void;
  readonly onMessage: (message: Exclude<ServerMessage, { type: "done" | "pong" }>) => void;
  readonly onFrame: (frame: Frame) => void;
}

export interface Socket extends Link {
  close(): void;
}

const FIRST_PING_MS = 1_000;
const PING_EVERY_MS = 15_000;
const SILENCE_MS = 35_000;
const IS_OPEN = 1;

/** Opens the one socket to the server and keeps it open: it comes back by itself until `close`. */
export function openSocket(deps: SocketDeps): Socket {
  const life = new SocketLife(deps);
  life.connect(0);
  return {
    ask: async (question) => life.requests.ask(question, (message) => life.tell(message)),
    tell: (message) => life.tell(message),
    input: (pane, bytes) => encodeInput(pane, bytes).every((frame) => life.send(frame)),
    retryNow: () => life.retryNow(),
    close: () => life.end(),
  };
}

class SocketLife {
  readonly requests = openRequests();
  readonly #deps: SocketDeps;
  #wire: Wire | undefined;
  #cancelTimers: (() => void)[] = [];
  #attempt = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #phase: Connection["phase"] = "connecting";

  constructor(deps: SocketDeps) {
    this.#deps = deps;
  }

  connect(attempt: number): void {
    this.#stopTimers();
    this.#attempt = attempt;
    this.#report({ phase: "connecting", attempt });
    const wire = this.#deps.connect();
    this.#wire = wire;
    wire.binaryType = "arraybuffer";
    wire.onopen = () => this.#opened();
    wire.onmessage = ({ data }) => this.#received(data);
    wire.onclose = () => this.#lost();
  }

  tell(message: ClientMessage): boolean {
    return this.send(JSON.stringify(message));
  }

  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#wire?.readyState !== IS_OPEN || this.#phase !== "open") return false;
    this.#wire.send(data);
    return true;
  }

  retryNow(): void {
    if (this.#phase === "waiting" || this.#phase === "refused") this.connect(0);
  }

  end(): void {
    this.#stopTimers();
    this.#release();
    this.requests.abandon();
  }

  #opened(): void {
    this.#attempt = 0;
    this.#heardAt = this.#deps.clock.now();
    this.#report({ phase: "open", latencyMs: null });
    this.tell(this.#deps.hello());
    // Not at once: the answer would measure the start of the page.
    this.#cancelTimers = [this.#deps.clock.after(FIRST_PING_MS, () => this.#ping())];
  }

  #ping(): void {
    const { clock } = this.#deps;
    if (clock.now() - this.#heardAt > SILENCE_MS) return this.#lost();
    this.#pingedAt = clock.now();
    this.tell({ type: "ping" });
    this.#cancelTimers = [clock.after(PING_EVERY_MS, () => this.#ping())];
  }

  #received(data: unknown): void {
    this.#heardAt = this.#deps.clock.now();
    if (data instanceof ArrayBuffer) {
      const frame = decodeFrame(data);
      if (frame !== undefined) this.#deps.onFrame(frame);
      return;
    }
    const message = JSON.parse(String(data)) as ServerMessage;
    if (message.type === "pong") {
      return this.#report({ phase: "open", latencyMs: this.#deps.clock.now() - this.#pingedAt });
    }
    if ((message.type === "done" || message.type === "error") && this.requests.settle(message)) return;
    if (message.type !== "done") this.#deps.onMessage(message);
  }

  #lost(): void {
    this.#stopTimers();
    this.#release();
    this.requests.abandon();
    const wait = backoffMs(this.#attempt, this.#deps.random());
    this.#report({ phase: "waiting", attempt: this.#attempt, retryAt: this.#deps.clock.now() + wait });
    this.#cancelTimers.push(this.#deps.clock.after(wait, () => this.connect(this.#attempt + 1)));
    void this.#askWhy();
  }

  /** A browser does not say why an upgrade failed; a plain request does. */
  async #askWhy(): Promise<void> {
    if (!(await this.#deps.isRefused()) || this.#phase !== "waiting") return;
    this.#stopTimers();
    this.#report({ phase: "refused" });
  }

  #release(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire === undefined) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }

  #stopTimers(): void {
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers = [];
  }

  #report(connection: Connection): void {
    this.#phase = connection.phase;
    this.#deps.onConnection(connection);
  }
}
