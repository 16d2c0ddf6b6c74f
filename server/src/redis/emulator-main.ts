/**
 * The emulated Redis, run by the `redis-server` wrapper where no real one is installed.
 * Argument: the configuration file that `prepareOwnRedis` wrote.
 *
 * js-redis-server's own command line binds every interface, so the listener is ours: loopback only.
 */
import { createServer, type Server, type Socket } from "node:net";
import {
  attachSession,
  createRedisCommandExecutor,
  RedisServerState,
  SocketConnectionTransport,
} from "js-redis-server/core";
import { readConfiguration } from "./own.ts";

const HOST = "127.0.0.1";

const file = process.argv[2];
if (file === undefined) throw new Error("usage: emulator-main CONFIGURATION-FILE");
const { port, password } = await readConfiguration(file);
const state = new RedisServerState({ requirepass: password });
const executor = createRedisCommandExecutor();
const sockets = new Set<Socket>();
const server = createServer({ keepAlive: true }, serve);
server.once("error", refuse);
server.listen(port, HOST, () => say("Ready to accept connections tcp"));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => leave(server, signal));
say(
  `Emulated Redis (js-redis-server), port ${port}. Fine for lessons; install redis-server for the real one.`,
);

function serve(socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  // A client that goes away in mid-command is its own business.
  socket.on("error", () => undefined);
  const clientAddress = `${socket.remoteAddress}:${socket.remotePort}`;
  const { done } = attachSession(new SocketConnectionTransport(socket), { state, executor, clientAddress });
  done.catch((error: unknown) => say(`A connection failed: ${String(error)}`));
}

function refuse(error: NodeJS.ErrnoException): void {
  const reason = error.code === "EADDRINUSE" ? "Address already in use" : error.message;
  say(`Warning: Could not create server TCP listening socket ${HOST}:${port}: bind: ${reason}`);
  process.exit(1);
}

function leave(listener: Server, signal: string): void {
  say(signal === "SIGINT" ? "User requested shutdown..." : `Received ${signal} scheduling shutdown...`);
  listener.close(() => {
    say("Redis is now ready to exit, bye bye...");
    process.exit(0);
  });
  for (const socket of sockets) socket.destroy();
}

/** In the shape of Redis's own log lines, so that what learners read here is what they will read elsewhere. */
function say(text: string): void {
  const now = new Date().toISOString().replace("T", " ").slice(0, -1);
  process.stdout.write(`${process.pid}:M ${now} * ${text}\n`);
}
