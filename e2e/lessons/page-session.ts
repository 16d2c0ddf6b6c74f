import { EventEmitter, once } from "node:events";
import type {
  CheckState,
  ClientMessage,
  CourseView,
  EditState,
  LessonView,
  PaneId,
  RedisView,
  ServerMessage,
  StepState,
} from "server/protocol";
import { WebSocket } from "ws";
import type { Playground } from "../support/playground.ts";

type Asking = Extract<ClientMessage, { request: string }>;
type WithoutId<M> = M extends unknown ? Omit<M, "request"> : never;

const PANES: readonly PaneId[] = ["broker", "worker", "producer"];

/** What the page knows, as the server told it. */
export interface PageState {
  redis: RedisView | undefined;
  lesson: LessonView | undefined;
  checks: readonly CheckState[];
  steps: Readonly<Record<string, StepState>>;
  edits: Readonly<Record<string, EditState>>;
}

/** Signed in to a playground as the page is: the start address for a cookie, the cookie for the socket. */
export class PageSession implements AsyncDisposable {
  readonly state: PageState = { redis: undefined, lesson: undefined, checks: [], steps: {}, edits: {} };
  readonly #origin: string;
  readonly #cookie: string;
  readonly #socket: WebSocket;
  readonly #events = new EventEmitter<{ message: [message: ServerMessage]; closed: [reason: string] }>();
  #requests = 0;

  private constructor(origin: string, cookie: string, socket: WebSocket) {
    this.#origin = origin;
    this.#cookie = cookie;
    this.#socket = socket;
    this.#events.setMaxListeners(0);
    // Terminal output comes in binary frames; it is read as text over HTTP when somebody wants to know.
    socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) this.#onMessage(JSON.parse(data.toString("utf8")) as ServerMessage);
    });
    socket.on("close", (code) => this.#events.emit("closed", `the socket closed with ${code}`));
  }

  static async open(playground: Playground): Promise<PageSession> {
    const { origin } = playground;
    const answer = await fetch(playground.url, { redirect: "manual" });
    const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
    if (cookie === undefined) throw new Error(`The start address gave no cookie (HTTP ${answer.status}).`);
    const socket = new WebSocket(`${origin.replace("http", "ws")}/ws`, {
      headers: { Cookie: cookie, Origin: origin },
    });
    const session = new PageSession(origin, cookie, socket);
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "hello", lesson: null, panes: {} } satisfies ClientMessage));
    return session;
  }

  course(): Promise<CourseView> {
    return this.#get("/api/course").then((response) => response.json() as Promise<CourseView>);
  }

  /** Sends a request and waits for its `done`. @throws Error with the server's words. */
  async ask(question: WithoutId<Asking>): Promise<void> {
    this.#requests += 1;
    const request = String(this.#requests);
    const answered = this.#next((message) =>
      (message.type === "done" || message.type === "error") && message.request === request
        ? message
        : undefined,
    );
    this.#socket.send(JSON.stringify({ ...question, request }));
    const answer = await answered;
    if (answer.type === "error") throw new Error(`${question.type}: ${answer.message} (${answer.code})`);
  }

  /**
   * Waits until the state is as asked.
   *
   * @returns false when it is not within `seconds`.
   */
  async until(holds: (state: PageState) => boolean, seconds: number): Promise<boolean> {
    if (holds(this.state)) return true;
    const signal = AbortSignal.timeout(seconds * 1000);
    return this.#next(() => (holds(this.state) ? true : undefined), signal).catch((error: unknown) => {
      if (signal.aborted) return false;
      throw error;
    });
  }

  /** The last lines of every pane, for a person who wants to know why. */
  async paneTexts(lines: number): Promise<string> {
    const texts = await Promise.all(
      PANES.map(async (pane) => {
        const text = await this.#get(`/api/panes/${pane}/text`).then((response) => response.text());
        return `--- ${pane}\n${text.trimEnd().split("\n").slice(-lines).join("\n")}`;
      }),
    );
    return texts.join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await once(this.#socket, "close");
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#origin}${path}`, { headers: { Cookie: this.#cookie } });
  }

  #onMessage(message: ServerMessage): void {
    const { state } = this;
    if (message.type === "redis") state.redis = message.redis;
    if (message.type === "lesson") state.lesson = message.lesson;
    if (message.type === "checks") state.checks = message.checks;
    if (message.type === "steps") state.steps = message.steps;
    if (message.type === "edits") state.edits = message.edits;
    this.#events.emit("message", message);
  }

  /** The first thing that `pick` finds in a message to come. @throws Error when the socket closes or the signal fires. */
  #next<T>(pick: (message: ServerMessage) => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((fulfil, reject) => {
      const done = (settle: () => void): void => {
        this.#events.off("message", onMessage).off("closed", onClosed);
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const onMessage = (message: ServerMessage): void => {
        const found = pick(message);
        if (found !== undefined) done(() => fulfil(found));
      };
      const onClosed = (reason: string): void => done(() => reject(new Error(reason)));
      const onAbort = (): void => done(() => reject(signal?.reason as Error));
      this.#events.on("message", onMessage).on("closed", onClosed);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
