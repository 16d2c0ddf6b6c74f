import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * - `before`: the command never reaches the server.
 * - `after`: the server carries it out, and nobody hears its answer.
 */
export type CutMode = "before" | "after";

export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** Commands that clients have sent through it so far. */
  readonly commands: number;
  /** The command that was cut; `undefined` as long as there were fewer. */
  readonly cut: string | undefined;
}

/**
 * A line to Redis that breaks once, at the n-th command that passes, counted over all connections. All of them are ended then;
 * new ones work.
 *
 * @param at 1 for the first command.
 * @param onCut called in the moment of the cut, e.g. to kill whoever sent the command.
 */
export async function openCuttingProxy(
  target: string,
  at: number,
  mode: CutMode,
  onCut: () => void = () => undefined,
): Promise<CuttingProxy> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  const state: { commands: number; cut: string | undefined } = { commands: 0, cut: undefined };
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const end = (): void => {
    onCut();
    endAll();
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // the other side of a cut
    }
    const split = makeSplitter();
    let isLast = false;
    client.on("data", (chunk: Buffer) => {
      for (const { bytes, name } of split(chunk)) {
        state.commands += 1;
        if (isLast) return;
        if (state.commands !== at) {
          upstream.write(bytes);
          continue;
        }
        state.cut = name;
        if (mode === "before") return end();
        isLast = true;
        upstream.write(bytes);
      }
    });
    upstream.on("data", (chunk: Buffer) => (isLast ? end() : client.write(chunk)));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" ? address?.port : undefined;
  return {
    url: target.replace(`:${port}`, `:${own}`),
    get commands() {
      return state.commands;
    },
    get cut() {
      return state.cut;
    },
    [Symbol.asyncDispose]: async () => {
      endAll();
      server.close();
      await once(server, "close");
    },
  };
}

interface Command {
  readonly bytes: Buffer;
  readonly name: string;
}

/** Whole commands out of what a client sends: arrays of bulk strings, as every library writes them. */
function makeSplitter(): (chunk: Buffer) => readonly Command[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const commands: Command[] = [];
    for (;;) {
      const command = firstCommand(rest);
      if (command === undefined) return commands;
      commands.push(command);
      rest = rest.subarray(command.bytes.length);
    }
  };
}

function firstCommand(buffer: Buffer): Command | undefined {
  const header = lineAt(buffer, 0);
  if (header === undefined) return undefined;
  let at = header.next;
  let name = "";
  for (let left = Number(header.text.slice(1)); left > 0; left -= 1) {
    const length = lineAt(buffer, at);
    if (length === undefined) return undefined;
    const end = length.next + Number(length.text.slice(1));
    if (buffer.length < end + 2) return undefined;
    if (name === "") name = buffer.toString("latin1", length.next, end);
    at = end + 2;
  }
  return { bytes: buffer.subarray(0, at), name };
}

function lineAt(buffer: Buffer, from: number): { readonly text: string; readonly next: number } | undefined {
  const end = buffer.indexOf("\r\n", from);
  return end === -1 ? undefined : { text: buffer.toString("latin1", from, end), next: end + 2 };
}
