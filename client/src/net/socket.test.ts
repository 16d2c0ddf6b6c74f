import type { ClientMessage, Frame, ServerMessage } from "server/protocol";
import { encodeFrame } from "server/protocol";
import { expect, test } from "vitest";
import type { Connection } from "../state/connection.ts";
import { openSocket, type Socket, type Wire } from "./socket.ts";

/** The other end of a wire, in the test's hands. */
class TestWire implements Wire {
  binaryType = "";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: (string | Uint8Array)[] = [];

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(message: ServerMessage): void {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  messages(): ClientMessage[] {
    return this.sent
      .filter((data) => typeof data === "string")
      .map((data) => JSON.parse(data) as ClientMessage);
  }
}

/** Time that passes when the test says so. */
class TestClock {
  #now = 0;
  #timers: { at: number; fire: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, fire: then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.fire();
    }
    this.#now = end;
  }
}

interface Rig {
  readonly socket: Socket;
  readonly clock: TestClock;
  readonly wires: TestWire[];
  readonly connections: Connection[];
  readonly messages: ServerMessage[];
  readonly frames: Frame[];
  wire(): TestWire;
}

function aRig(isRefused = false): Rig {
  const clock = new TestClock();
  const wires: TestWire[] = [];
  const connections: Connection[] = [];
  const messages: ServerMessage[] = [];
  const frames: Frame[] = [];
  const socket = openSocket({
    connect: () => {
      const wire = new TestWire();
      wires.push(wire);
      return wire;
    },
    clock,
    random: () => 0.5,
    isRefused: async () => isRefused,
    hello: () => ({ type: "hello", lesson: null, panes: {} }),
    onConnection: (connection) => connections.push(connection),
    onMessage: (message) => messages.push(message),
    onFrame: (frame) => frames.push(frame),
  });
  const wire = (): TestWire => {
    const last = wires.at(-1);
    if (last === undefined) throw new Error("No wire was opened.");
    return last;
  };
  return { socket, clock, wires, connections, messages, frames, wire };
}

test("given a new connection, when it opens, then hello is the first thing said", () => {
  const rig = aRig();

  rig.wire().accept();

  expect(rig.wire().messages()[0]).toEqual({ type: "hello", lesson: null, panes: {} });
  expect(rig.connections.at(-1)).toEqual({ phase: "open", latencyMs: null });
});

test("given an open connection, when frames and messages come, then each goes its way", () => {
  const rig = aRig();
  rig.wire().accept();
  const frame = { kind: "data", pane: "worker", seq: 7, bytes: new Uint8Array([65]) } as const;

  rig.wire().onmessage?.(new MessageEvent("message", { data: new Uint8Array(encodeFrame(frame)).buffer }));
  rig.wire().say({ type: "notice-gone", id: "x" });

  expect(rig.frames).toEqual([frame]);
  expect(rig.messages).toEqual([{ type: "notice-gone", id: "x" }]);
});

test("given two questions, when they are answered out of order, then each gets its own answer", async () => {
  const rig = aRig();
  rig.wire().accept();
  const first = rig.socket.ask({ type: "check-now" });
  const second = rig.socket.ask({ type: "run", step: "send" });
  const [one, two] = rig.wire().messages().slice(1) as { request: string }[];

  rig.wire().say({ type: "error", request: two?.request ?? "", code: "busy", message: "Wait." });
  rig.wire().say({ type: "done", request: one?.request ?? "" });

  expect(await first).toEqual({ ok: true });
  expect(await second).toEqual({ ok: false, code: "busy", message: "Wait." });
  expect(rig.messages).toEqual([]);
});

test("given an error to no question, when it comes, then the page is told", () => {
  const rig = aRig();
  rig.wire().accept();

  rig.wire().say({ type: "error", request: null, code: "bad-message", message: "What?" });

  expect(rig.messages).toEqual([{ type: "error", request: null, code: "bad-message", message: "What?" }]);
});

test("given an open question, when the connection ends, then it is answered as offline", async () => {
  const rig = aRig();
  rig.wire().accept();
  const asked = rig.socket.ask({ type: "check-now" });

  rig.wire().drop();

  expect(await asked).toMatchObject({ ok: false, code: "offline" });
});

test("given no connection, when something is said, typed or asked, then it is refused and not kept for later", async () => {
  const rig = aRig();

  expect(rig.socket.tell({ type: "interrupt", pane: "worker" })).toBe(false);
  expect(rig.socket.input("worker", new Uint8Array([3]))).toBe(false);
  expect(await rig.socket.ask({ type: "check-now" })).toMatchObject({ code: "offline" });

  rig.wire().accept();
  expect(
    rig
      .wire()
      .messages()
      .map((message) => message.type),
  ).toEqual(["hello"]);
});

test("given a server that stays away, when attempts fail, then waits grow and start over after a success", () => {
  const rig = aRig();
  const waits = (): number[] =>
    rig.connections.flatMap((connection) => (connection.phase === "waiting" ? [connection.retryAt] : []));
  rig.wire().drop();
  rig.clock.advance(250);
  rig.wire().drop();
  rig.clock.advance(375);
  expect(waits()).toEqual([250, 625]);

  rig.wire().accept();
  rig.wire().drop();

  expect(waits().at(-1)).toBe(rig.clock.now() + 250);
});

test("given a wait, when the learner retries now, then the next attempt starts at once and only once", () => {
  const rig = aRig();
  rig.wire().drop();

  rig.socket.retryNow();
  rig.clock.advance(300);

  expect(rig.wires).toHaveLength(2);
});

test("given a server that says nothing for 35 seconds, when the next ping is due, then the connection counts as lost", () => {
  const rig = aRig();
  rig.wire().accept();

  rig.clock.advance(31_000);
  expect(rig.connections.at(-1)?.phase).toBe("open");
  rig.clock.advance(15_000);

  expect(rig.connections.some((connection) => connection.phase === "waiting")).toBe(true);
});

test("given a ping, when its pong comes, then the time between is known", () => {
  const rig = aRig();
  rig.wire().accept();
  rig.clock.advance(1_004);
  rig.clock.advance(0);

  rig.wire().say({ type: "pong" });

  expect(rig.connections.at(-1)).toEqual({ phase: "open", latencyMs: 4 });
});

test("given a page of an earlier start, when the server refuses its key, then the page stops trying and says so", async () => {
  const rig = aRig(true);

  rig.wire().drop();
  await expect.poll(() => rig.connections.at(-1)?.phase).toBe("refused");
  rig.clock.advance(60_000);

  expect(rig.wires).toHaveLength(1);
});

test("given a closed socket, when time passes, then it does not come back", () => {
  const rig = aRig();
  rig.wire().accept();

  rig.socket.close();
  rig.clock.advance(60_000);

  expect(rig.wires).toHaveLength(1);
  expect(rig.wire().readyState).toBe(3);
});
