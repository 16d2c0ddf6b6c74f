import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Playground } from "../playground/index.ts";
import { MAX_FRAME_BYTES } from "../protocol/index.ts";
import { CLOSE, Session } from "./session.ts";

/** Address of the one socket. */
const PATH = "/ws";

/** Tabs and tools at once. */
const MOST_SESSIONS = 16;

/** A connection is asked for a sign of life this often, and dropped without one by the second time. */
const PING_MS = 15_000;

/** How long browsers get to say good-bye when the server ends. */
const GOODBYE_MS = 300;

export interface HubDeps {
  readonly playground: Playground;
  readonly log: Logger;
}

/** Takes upgrades that passed the gate, and keeps a session for each browser. */
export interface Hub extends AsyncDisposable {
  readonly sessions: number;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export function openHub(deps: HubDeps): Hub {
  // No compression: it costs memory for each connection and saves nothing on loopback.
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const alive = new WeakSet<WebSocket>();
  const pings = setInterval(() => beat(server.clients, alive), PING_MS);
  pings.unref();
  return {
    get sessions() {
      return server.clients.size;
    },
    upgrade(request, socket, head) {
      if (request.url?.split("?")[0] !== PATH) return notHere(socket);
      server.handleUpgrade(request, socket, head, (client) => admit(client, server, alive, deps));
    },
    async [Symbol.asyncDispose]() {
      clearInterval(pings);
      await sayGoodbye(server);
    },
  };
}

function admit(client: WebSocket, server: WebSocketServer, alive: WeakSet<WebSocket>, deps: HubDeps): void {
  // A frame that is too large or malformed: ws closes with the fitting code by itself.
  client.on("error", (error) => deps.log.info({ err: error }, "a connection failed"));
  if (server.clients.size > MOST_SESSIONS) return client.close(CLOSE.tryLater, "too many pages are open");
  alive.add(client);
  client.on("pong", () => alive.add(client));
  client.on("message", () => alive.add(client));
  new Session({ ...deps, socket: client });
}

function beat(clients: ReadonlySet<WebSocket>, alive: WeakSet<WebSocket>): void {
  for (const client of clients) {
    if (!alive.delete(client)) client.terminate();
    else client.ping();
  }
}

async function sayGoodbye(server: WebSocketServer): Promise<void> {
  const closed = [...server.clients].map((client) => {
    const gone = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.close(CLOSE.goingAway, "the server ends");
    return gone;
  });
  const late = AbortSignal.timeout(GOODBYE_MS);
  await Promise.race([
    Promise.all(closed),
    new Promise((resolve) => late.addEventListener("abort", resolve, { once: true })),
  ]);
  for (const client of server.clients) client.terminate();
  server.close();
}

function notHere(socket: Duplex): void {
  socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}
