import type { ServerMessage } from "../protocol/index.ts";

/** The parts of a WebSocket that sending needs. */
export interface OutboxSocket {
  readonly bufferedAmount: number;
  send(data: string | Uint8Array, sent: (error?: Error | null) => void): void;
}

export interface OutboxOptions {
  readonly socket: OutboxSocket;
  /** The browser does not read: more than `FULL_BYTES` wait for it. */
  readonly onFull: () => void;
}

/** With this much waiting in the socket, state messages wait here, where newer ones replace them. */
const PAUSE_BYTES = 1024 * 1024;

/** With this much waiting the browser is given up: it will get everything anew when it comes back. */
const FULL_BYTES = 4 * 1024 * 1024;

/** Counts change with every task; nobody reads faster than this, in milliseconds. */
const QUEUE_PAUSE_MS = 100;

/**
 * What one browser is still to be sent. State messages are whole, so of each kind only the newest is kept: a slow
 * browser costs a bounded amount of memory and sees the present, not the past.
 */
export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, ServerMessage>();
  #count = 0;
  #queueTimer: NodeJS.Timeout | undefined;
  #newestQueue: ServerMessage | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  put(message: ServerMessage): void {
    if (message.type === "queue") return this.#putQueue(message);
    this.#put(message);
  }

  /** Terminal bytes have a flow control of their own and are never held back. */
  putFrame(frame: Uint8Array): void {
    this.#send(frame);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#queueTimer);
    this.#waiting.clear();
  }

  #putQueue(message: ServerMessage): void {
    this.#newestQueue = message;
    if (this.#queueTimer !== undefined) return;
    this.#sendQueue();
  }

  #sendQueue(): void {
    const message = this.#newestQueue;
    this.#newestQueue = undefined;
    this.#queueTimer = undefined;
    if (message === undefined) return;
    this.#put(message);
    this.#queueTimer = setTimeout(() => this.#sendQueue(), QUEUE_PAUSE_MS);
    this.#queueTimer.unref();
  }

  #put(message: ServerMessage): void {
    const key = this.#key(message);
    // Again at the end, so that it does not overtake what it was said after.
    this.#waiting.delete(key);
    this.#waiting.set(key, message);
    this.#flush();
  }

  #flush(): void {
    for (const [key, message] of this.#waiting) {
      if (this.#options.socket.bufferedAmount > PAUSE_BYTES) return;
      this.#waiting.delete(key);
      this.#send(JSON.stringify(message));
    }
  }

  #send(data: string | Uint8Array): void {
    const { socket, onFull } = this.#options;
    socket.send(data, (error) => {
      if (!error && this.#waiting.size > 0) this.#flush();
    });
    if (socket.bufferedAmount > FULL_BYTES) onFull();
  }

  /** Messages with the same key replace each other. */
  #key(message: ServerMessage): string {
    switch (message.type) {
      case "pane":
        return `pane ${message.pane}`;
      case "file":
        return `file ${message.file.path}`;
      case "notice":
      case "notice-gone":
        return `notice ${message.id}`;
      case "lesson":
      case "redis":
      case "steps":
      case "edits":
      case "checks":
      case "queue":
      case "welcome":
        return message.type;
      case "skipped":
      case "done":
      case "error":
      case "pong":
        this.#count += 1;
        return `each ${this.#count}`;
    }
  }
}
