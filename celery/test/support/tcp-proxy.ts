import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A line between a client and a Redis that a test can disturb. */
export interface TcpProxy extends AsyncDisposable {
  /** The target's URL with this proxy's port. */
  readonly url: string;
  /** Replies vanish from now on; requests still arrive. */
  dropReplies(): void;
  /** Nothing passes in either direction, and nothing is closed: a partition. */
  freeze(): void;
  /** Everything passes again, on the connections that are left. */
  heal(): void;
  /** Ends every connection. New ones are accepted. */
  cut(): void;
  /** Settles when a request that contains the text has been passed on. */
  passed(text: string): Promise<void>;
}

export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const { port } = new URL(target);
  let mode: "open" | "noReplies" | "frozen" = "open";
  const sockets = new Set<Socket>();
  const watchers = new Set<(chunk: string) => void>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // the other side of a test that cuts
    }
    client.on("data", (chunk) => {
      if (mode === "frozen") return;
      upstream.write(chunk);
      for (const watch of watchers) watch(chunk.toString("latin1"));
    });
    upstream.on("data", (chunk) => {
      if (mode === "open") client.write(chunk);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" ? address?.port : undefined;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: target.replace(`:${port}`, `:${own}`),
    dropReplies: () => (mode = "noReplies"),
    freeze: () => (mode = "frozen"),
    heal: () => (mode = "open"),
    cut,
    passed: (text) =>
      new Promise((resolve) => {
        const watch = (chunk: string): void => {
          if (!chunk.includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
      }),
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
