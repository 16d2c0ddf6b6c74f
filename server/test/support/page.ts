import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import {
  type ClientMessage,
  decodeFrame,
  encodeFrame,
  type PaneId,
  type ServerMessage,
} from "../../src/protocol/index.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A server process of the test's own, run from its sources: nothing needs to be built for a test. */
export interface RunningServer extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly url: string;
  readonly origin: string;
  readonly token: string;
  readonly workspace: string;
  /** Everything it printed, both streams. */
  output(): string;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kept at the end; a fresh one is removed. */
  readonly workspace?: string;
}

export const SERVER_COMMAND: readonly string[] = [
  "--import",
  "tsx",
  "--conditions=source",
  join(ROOT, "server/src/main.ts"),
];

/** Starts a server and does not wait for anything. */
export function spawnServer(workspace: string, { args = [], env = {} }: StartOptions = {}): ChildProcess {
  const { REDIS_URL: _, npm_lifecycle_event: __, ...rest } = process.env;
  const all = ["--port", "0", "--no-open", "--workspace", workspace, ...args];
  return spawn(process.execPath, [...SERVER_COMMAND, ...all], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...rest, ...env } as NodeJS.ProcessEnv,
  });
}

/** @throws Error with all that was printed when it ends before it is ready. */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const workspace = options.workspace ?? (await mkdtemp(join(tmpdir(), "server-test-")));
  const child = spawnServer(workspace, options);
  const printed: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${printed.join("\n")}`)));
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        printed.push(line);
        const found = /^Celery Playground is ready: (\S+)$/.exec(line);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
    }
  });
  const { origin, searchParams } = new URL(url);
  return {
    process: child,
    url,
    origin,
    token: searchParams.get("token") ?? "",
    workspace,
    output: () => printed.join("\n"),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      if (options.workspace === undefined) await rm(workspace, { recursive: true, force: true });
    },
  };
}

type Of<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>;

/** A page without a screen: says hello, remembers the newest state, and waits for what it is told to wait for. */
export class TestPage implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Plain bytes of each pane, escape sequences and all, since the last snapshot. */
  readonly screens: Record<PaneId, string> = { broker: "", worker: "", producer: "" };
  readonly messages: ServerMessage[] = [];
  readonly #changed = new EventEmitter<{ any: [] }>();
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.#changed.setMaxListeners(0);
    socket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
  }

  static async open(server: Pick<RunningServer, "origin" | "token">): Promise<TestPage> {
    const socket = new WebSocket(`${server.origin.replace("http", "ws")}/ws`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    const page = new TestPage(socket);
    await once(socket, "open");
    page.tell({ type: "hello", lesson: null, panes: {} });
    await page.until(() => page.newest("welcome") !== undefined);
    return page;
  }

  tell(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  type(pane: PaneId, text: string): void {
    this.socket.send(encodeFrame({ kind: "input", pane, seq: 0, bytes: Buffer.from(text) }));
  }

  /** Resolves with the answer: `done` or `error`. */
  async ask(
    message: Record<string, unknown> & { type: ClientMessage["type"] },
  ): Promise<Of<"done"> | Of<"error">> {
    this.#requests += 1;
    const request = `t${this.#requests}`;
    this.socket.send(JSON.stringify({ ...message, request }));
    const answer = (): ServerMessage | undefined =>
      this.messages.find(
        (each) => (each.type === "done" || each.type === "error") && each.request === request,
      );
    await this.until(() => answer() !== undefined, `an answer to ${message.type}`);
    return answer() as Of<"done"> | Of<"error">;
  }

  newest<T extends ServerMessage["type"]>(type: T): Of<T> | undefined {
    return this.messages.findLast((message): message is Of<T> => message.type === type);
  }

  paneState(pane: PaneId): Of<"pane">["state"] | undefined {
    return this.messages.findLast((each): each is Of<"pane"> => each.type === "pane" && each.pane === pane)
      ?.state;
  }

  /** The text of a notice that is up now. */
  notice(id: string): string | undefined {
    const last = this.messages.findLast(
      (each) => (each.type === "notice" || each.type === "notice-gone") && each.id === id,
    );
    return last?.type === "notice" ? last.text : undefined;
  }

  /** @throws Error that names `what`, with the end of each screen, when the condition does not come true in time. */
  async until(isTrue: () => boolean, what: string = "a condition", ms: number = 60_000): Promise<void> {
    const signal = AbortSignal.timeout(ms);
    while (!isTrue()) {
      await once(this.#changed, "any", { signal }).catch(() => {
        const screens = Object.entries(this.screens).map(([id, text]) => `--- ${id}\n${text.slice(-1500)}`);
        throw new Error(`waited ${ms} ms in vain for ${what}\n${screens.join("\n")}`);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, "close");
    this.socket.close();
    await closed;
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      const frame = decodeFrame(data);
      if (frame === undefined) throw new Error("not a frame");
      if (frame.kind === "snapshot") this.screens[frame.pane] = "";
      this.screens[frame.pane] += Buffer.from(frame.bytes).toString();
      this.tell({ type: "ack", pane: frame.pane, bytes: frame.bytes.length });
    } else this.messages.push(JSON.parse(data.toString()) as ServerMessage);
    this.#changed.emit("any");
  }
}
