import { EventEmitter } from "node:events";
import type { Logger } from "pino";
import type { Course, Lesson } from "../lessons/lesson.ts";
import type { Live } from "../live/live.ts";
import { type CourseView, type LessonView, PANE_IDS, type ServerMessage } from "../protocol/index.ts";
import type { Broker } from "../redis/index.ts";
import type { StepRunner } from "../steps/step-runner.ts";
import { startRedis } from "./broker-pane.ts";
import { LessonSeat } from "./lesson-seat.ts";
import { NoticeBoard } from "./notice-board.ts";
import { emulatorNotice, panesNotice, redisNotice } from "./notices.ts";
import {
  type Playground,
  type PlaygroundEvents,
  PlaygroundRefusal,
  type PlaygroundRequest,
} from "./playground.ts";
import { asRefusal } from "./refusals.ts";
import type { Panes } from "./session-panes.ts";
import { TroubleWatch } from "./trouble-watch.ts";

export interface PlaygroundDeps {
  readonly version: string;
  readonly workspaceRoot: string;
  readonly course: Course;
  readonly broker: Broker;
  readonly panes: Panes;
  readonly steps: StepRunner;
  readonly live: Live;
  /** Puts back what the shells need, where somebody removed it. */
  readonly equip: () => Promise<void>;
  readonly log: Logger;
}

/** How long "check now" waits for a fresh look at Redis, in milliseconds. */
const LOOK_MS = 5_000;

/** Owns what it was given: disposing ends the panes with all they run, and every connection. */
export class LearnersPlayground implements Playground {
  readonly panes: Panes;
  readonly events: EventEmitter<PlaygroundEvents> = new EventEmitter<PlaygroundEvents>();
  readonly #deps: PlaygroundDeps;
  readonly #notices: NoticeBoard;
  readonly #trouble: TroubleWatch;
  readonly #seat: LessonSeat;
  readonly #closing = new AbortController();
  readonly #disposers: (() => void)[] = [];
  #course: Course;
  #starting: Promise<void> | undefined;

  constructor(deps: PlaygroundDeps) {
    const { panes, log } = deps;
    const tell = (message: ServerMessage): void => void this.events.emit("message", message);
    this.#deps = deps;
    this.#course = deps.course;
    this.panes = panes;
    this.events.setMaxListeners(0); // one for every browser
    this.#notices = new NoticeBoard(tell);
    const files = (): ReadonlySet<string> => new Set(this.#seat.active?.workspace.hashes().keys());
    this.#trouble = new TroubleWatch({ panes, log, notices: this.#notices, files });
    this.#seat = new LessonSeat({ ...deps, tell, onFreshStart: () => this.#trouble.forget() });
    this.#listen(tell);
  }

  /** Called at the end, before anything is closed. */
  own(dispose: () => void): void {
    this.#disposers.push(dispose);
  }

  /** Starts Redis where it is ours to start; how that goes is told to the browsers. */
  begin(): void {
    const { broker, panes } = this.#deps;
    this.#notices.put("emulator", emulatorNotice(broker.view));
    this.#notices.put("panes", panesNotice(panes.broker.rung));
    if (broker.source.kind === "external") return;
    this.#startRedis().catch((error: Error) => {
      if (this.#closing.signal.aborted) return;
      this.#deps.log.warn({ err: error }, "Redis did not start");
      this.#notices.put("redis", { level: "error", text: `${error.message} Then press Start Redis.` });
    });
  }

  course(): CourseView {
    return this.#course.course;
  }

  lesson(slug: string): LessonView | undefined {
    return this.#course.lessons.get(slug)?.view;
  }

  greeting(): readonly ServerMessage[] {
    const { version, broker, panes, steps, live } = this.#deps;
    const lesson = this.#seat.active?.slug ?? null;
    return [
      { type: "welcome", version, lesson, pty: panes.worker.rung, platform: process.platform },
      { type: "redis", redis: broker.view },
      ...PANE_IDS.map((pane) => ({ type: "pane", pane, state: panes[pane].state }) as const),
      ...(this.#seat.active?.messages() ?? []),
      { type: "steps", steps: steps.states },
      { type: "queue", queue: live.queueView() },
      ...this.#notices.messages(),
    ];
  }

  async answer(request: PlaygroundRequest): Promise<void> {
    try {
      await this.#do(request);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal !== undefined) throw refusal;
      this.#deps.log.error({ err: error, request: request.type }, "a request failed");
      const text = "That did not work; the server's log, in its terminal, says why. Try again.";
      throw new PlaygroundRefusal("failed", text, { cause: error });
    }
  }

  /** For authors: the lessons folder was read again. */
  courseChanged(course: Course): void {
    const { log } = this.#deps;
    this.#course = course;
    for (const problem of course.problems) log.warn(problem, "a lesson has a mistake");
    const lesson = course.lessons.get(this.#seat.active?.slug ?? "");
    if (lesson === undefined) return;
    this.#seat
      .renew(lesson)
      .catch((error: unknown) => log.error({ err: error }, "could not show the changed lesson"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { broker, panes, live } = this.#deps;
    this.#closing.abort();
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.events.removeAllListeners();
    await Promise.all(PANE_IDS.map((id) => panes[id][Symbol.asyncDispose]()));
    await this.#seat[Symbol.asyncDispose]();
    await Promise.all([live[Symbol.asyncDispose](), broker[Symbol.asyncDispose]()]);
  }

  #listen(tell: (message: ServerMessage) => void): void {
    const { broker, panes, steps, live } = this.#deps;
    broker.events.on("changed", (redis) => {
      tell({ type: "redis", redis });
      this.#notices.put("redis", redisNotice(redis));
    });
    steps.events.on("changed", () => {
      // First what the step came to: whoever hears that it is done may look at the checks at once.
      this.#seat.active?.board.evaluate();
      tell({ type: "steps", steps: steps.states });
    });
    live.events.on("changed", () => {
      tell({ type: "queue", queue: live.queueView() });
      this.#seat.active?.board.evaluate();
      this.#trouble.onFacts(live.facts());
    });
    for (const pane of PANE_IDS)
      panes[pane].events.on("state", (state) => tell({ type: "pane", pane, state }));
  }

  async #do(request: PlaygroundRequest): Promise<void> {
    const { steps, equip } = this.#deps;
    await equip();
    switch (request.type) {
      case "open-lesson":
        return this.#seat.open(this.#course, request.lesson);
      case "run":
        return steps.start(this.#step(request.step), { force: request.force ?? false });
      case "restart-worker":
        return steps.again("worker");
      case "start-redis":
        return this.#startRedis();
      case "apply-edit":
        return void (await this.#seat.current().workspace.applyEdit(this.#edit(request.edit)));
      case "save":
        return void (await this.#seat.current().workspace.save(request.path, request.text, request.base));
      case "reset":
        return this.#reset(request.scope, request.path);
      case "check-now":
        return this.#checkNow();
    }
  }

  /** Whoever asks while it is starting waits for the same start. */
  #startRedis(): Promise<void> {
    const { broker, panes } = this.#deps;
    this.#starting ??= startRedis({ pane: panes.broker, broker }, this.#closing.signal).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  #reset(scope: "file" | "lesson", path: string | undefined): Promise<void> {
    if (scope === "lesson") return this.#seat.reset();
    if (path === undefined) throw new PlaygroundRefusal("bad-message", "Which file? The request names none.");
    return this.#seat.current().workspace.reset(path);
  }

  async #checkNow(): Promise<void> {
    const { board } = this.#seat.current();
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(LOOK_MS)]);
    // Redis may be down; what is known of files, panes and steps is worth a look all the same.
    await this.#deps.live.refresh(signal).catch(() => undefined);
    board.evaluate();
  }

  #step(id: string): Lesson["steps"][number] {
    const step = this.#seat.current().lesson.steps.find((each) => each.id === id);
    if (step === undefined)
      throw new PlaygroundRefusal("not-found", "This lesson has no such step. Reload the page.");
    return step;
  }

  #edit(id: string): Lesson["edits"][number] {
    const edit = this.#seat.current().lesson.edits.find((each) => each.id === id);
    if (edit === undefined)
      throw new PlaygroundRefusal("not-found", "This lesson has no such change. Reload the page.");
    return edit;
  }
}
