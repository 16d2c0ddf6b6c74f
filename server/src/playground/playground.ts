import type { EventEmitter } from "node:events";
import type {
  ClientMessage,
  CourseView,
  ErrorCode,
  LessonView,
  PaneId,
  ServerMessage,
} from "../protocol/index.ts";
import type { Pane } from "../terminal/index.ts";

/** A message that asks for something and is answered with `done` or `error`. */
export type PlaygroundRequest = Extract<ClientMessage, { request: string }>;

export interface PlaygroundEvents {
  /** For every browser. State messages are whole: of one kind, the newest one wins. */
  message: [message: ServerMessage];
}

/** One learner's playground: Redis, three panes, the open lesson. Every browser sees the same one. */
export interface Playground extends AsyncDisposable {
  readonly panes: Readonly<Record<PaneId, Pane>>;
  readonly events: EventEmitter<PlaygroundEvents>;
  course(): CourseView;
  lesson(slug: string): LessonView | undefined;
  /** The whole state, for a browser that comes. `welcome` is first. */
  greeting(): readonly ServerMessage[];
  /**
   * Does what a browser asks for, and resolves when it is done or, for a step, under way.
   *
   * @throws PlaygroundRefusal with what the learner should do.
   */
  answer(request: PlaygroundRequest): Promise<void>;
}

/** A request that cannot be met. `code` tells the page how to go on, `message` tells the learner. */
export class PlaygroundRefusal extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
