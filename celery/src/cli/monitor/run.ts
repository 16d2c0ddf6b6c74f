import type { CeleryApp } from "../../app/types.ts";
import type { EventReceiver } from "../../events/index.ts";
import { State } from "../../events/index.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { CommandContext } from "../command.ts";
import { readKeys } from "./keys.ts";
import { type Action, type Model, makeModel, press, showAnswers } from "./model.ts";
import { render, settle } from "./view.ts";

export interface MonitorDeps {
  readonly app: CeleryApp;
  /** The broker's URL without its password. */
  readonly broker: string;
  readonly context: CommandContext;
}

/** Drawn at most this often, and at least once a second: ages and the clock go on. */
const FRAME_MS = 200;
const IDLE_FRAME_MS = 1000;

const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";
/** Terminals that know it show the whole frame at once. */
const [BEGIN_FRAME, END_FRAME] = ["\u001b[?2026h", "\u001b[?2026l"];

/** The live view, until the person quits. The terminal is left as it was found. */
export async function runMonitor(receiver: EventReceiver, deps: MonitorDeps): Promise<number> {
  const monitor = new Monitor(receiver, deps);
  const stop = deps.context.interrupted();
  const { stdin, stdout } = deps.context;
  stdout.write(ENTER_SCREEN);
  stdin.setRawMode(true);
  try {
    await monitor.run(stop);
    return 0;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE_SCREEN);
  }
}

class Monitor {
  readonly #deps: MonitorDeps;
  readonly #receiver: EventReceiver;
  #model: Model = makeModel(new State());
  #frame: NodeJS.Timeout | undefined;
  #quit: () => void = () => undefined;

  constructor(receiver: EventReceiver, deps: MonitorDeps) {
    this.#receiver = receiver;
    this.#deps = deps;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { stdin, stdout } = this.#deps.context;
    const over = new Promise<void>((resolve) => (this.#quit = resolve));
    const onKeys = (data: Buffer): void => this.#onKeys(data.toString("utf8"));
    const onResize = (): void => this.#draw();
    stop.addEventListener("abort", () => this.#quit(), { once: true });
    this.#listen();
    stdin.on("data", onKeys);
    stdout.on("resize", onResize);
    const ticks = setInterval(() => this.#draw(), IDLE_FRAME_MS);
    this.#draw();
    if (!stop.aborted) await over;
    clearInterval(ticks);
    clearTimeout(this.#frame);
    stdin.off("data", onKeys);
    stdout.off("resize", onResize);
  }

  #listen(): void {
    const { events } = this.#receiver;
    const { app } = this.#deps;
    events.on("raw", (event) => {
      this.#model.state.event(event, systemClock.nowMs() / 1000);
      this.#soon();
    });
    events.on("down", (fault) => {
      // The title has the URL already.
      const why = fault.message.replace(` at ${this.#deps.broker}`, "");
      this.#set({ ...this.#model, trouble: `No broker, trying again: ${why}` });
    });
    events.on("up", () => {
      this.#set({ ...this.#model, trouble: null });
      // Workers that are there already show up at once; one that cannot be asked now shows up with its next heartbeat.
      void app.control.heartbeat().catch(() => undefined);
    });
  }

  #onKeys(data: string): void {
    for (const key of readKeys(data)) {
      const { model, action } = press(this.#model, key);
      this.#model = model;
      if (action) this.#act(action);
    }
    this.#draw();
  }

  #act(action: Action): void {
    if (action.kind === "quit") return this.#quit();
    void this.#ask(action).then((lines) => this.#set(showAnswers(this.#model, lines)));
  }

  async #ask(action: Exclude<Action, { kind: "quit" }>): Promise<readonly string[]> {
    const { control } = this.#deps.app;
    try {
      const answers =
        action.kind === "rate"
          ? await control.rateLimit(action.task, action.limit === "0" ? null : action.limit, { reply: true })
          : await control.revoke(action.uuid, { terminate: action.terminate, reply: true });
      const lines = Object.entries(answers).map(([node, { ok, error }]) => `${node}: ${error ?? String(ok)}`);
      return lines.length > 0 ? lines : ["No worker answered within a second."];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  #set(model: Model): void {
    this.#model = model;
    this.#soon();
  }

  #soon(): void {
    this.#frame ??= setTimeout(() => this.#draw(), FRAME_MS);
  }

  #draw(): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    const { stdout, global } = this.#deps.context;
    const size = { columns: stdout.columns, rows: stdout.rows };
    this.#model = settle(this.#model, size);
    const lines = render(this.#model, {
      ...size,
      nowSeconds: systemClock.nowMs() / 1000,
      broker: this.#deps.broker,
      color: global.color,
    });
    const frame = lines.map((line, row) => `\u001b[${row + 1};1H${line}\u001b[K`).join("");
    stdout.write(`${BEGIN_FRAME}${frame}${END_FRAME}`);
  }
}
