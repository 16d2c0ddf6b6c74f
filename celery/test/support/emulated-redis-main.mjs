// A js-redis-server on the loopback port given as argument, built from its parts because its own command line listens on
// every interface. Says "ready" when it can be used.
import { createServer } from "node:net";
import {
  attachSession,
  createRedisCommandExecutor,
  RedisServerState,
  SocketConnectionTransport,
} from "js-redis-server/core";

const state = new RedisServerState({});
const executor = createRedisCommandExecutor();
const server = createServer((socket) => {
  socket.on("error", () => undefined); // a client that goes away in mid-command is its own business
  const transport = new SocketConnectionTransport(socket);
  attachSession(transport, { state, executor, clientAddress: "test" }).done.catch(() => undefined);
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("ready\n"));
