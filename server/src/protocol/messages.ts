import { z } from "zod";
import type { LessonView } from "./lesson.ts";
import type {
  CheckState,
  EditState,
  FileView,
  PaneId,
  PaneState,
  PtyRung,
  QueueView,
  RedisView,
  StepState,
} from "./state.ts";

const pane = z.enum(["broker", "worker", "producer"]);
const size = { cols: z.int().min(2).max(500), rows: z.int().min(1).max(300) };
const id = z.string().min(1).max(100);
const path = z.string().min(1).max(255);

/**
 * What the browser may say, as JSON text frames. Every message that wants an answer carries `request`, echoed in the
 * `done` or `error` that answers it.
 */
export const clientMessage: z.ZodType<ClientMessage> = z.discriminatedUnion("type", [
  /** First message of a connection. `panes` says what the page has on screen already, to get only the rest. */
  z.object({
    type: z.literal("hello"),
    lesson: z.string().max(100).nullable(),
    panes: z.record(z.string(), z.object({ epoch: z.int(), seq: z.int() })),
  }),
  /** Makes a lesson the active one: its workspace, fresh shells in it, its checks. */
  z.object({ type: z.literal("open-lesson"), request: id, lesson: id }),
  z.object({ type: z.literal("resize"), pane, ...size }),
  /** `bytes` of this pane's output rendered since the last ack. */
  z.object({ type: z.literal("ack"), pane, bytes: z.int().min(0) }),
  /** Runs a step; `force` when the learner agreed to stop what the pane is running. */
  z.object({ type: z.literal("run"), request: id, step: id, force: z.boolean().optional() }),
  /** Ctrl-C to the pane's foreground program. */
  z.object({ type: z.literal("interrupt"), pane }),
  /** Stops the worker warmly and starts its last command again: the way out of *old code*. */
  z.object({ type: z.literal("restart-worker"), request: id }),
  /** Starts the playground's own Redis again after it went down. */
  z.object({ type: z.literal("start-redis"), request: id }),
  z.object({ type: z.literal("apply-edit"), request: id, edit: id }),
  /** `base` is the hash that the page's text grew from; another hash on disk answers with error `conflict`. */
  z.object({
    type: z.literal("save"),
    request: id,
    path,
    text: z.string().max(48_000),
    base: z.string().max(64),
  }),
  z.object({
    type: z.literal("reset"),
    request: id,
    scope: z.enum(["file", "lesson"]),
    path: path.optional(),
  }),
  z.object({ type: z.literal("check-now"), request: id }),
  z.object({ type: z.literal("ping") }),
]);

export type ClientMessage =
  | { type: "hello"; lesson: string | null; panes: Record<string, { epoch: number; seq: number }> }
  | { type: "open-lesson"; request: string; lesson: string }
  | { type: "resize"; pane: PaneId; cols: number; rows: number }
  | { type: "ack"; pane: PaneId; bytes: number }
  | { type: "run"; request: string; step: string; force?: boolean | undefined }
  | { type: "interrupt"; pane: PaneId }
  | { type: "restart-worker"; request: string }
  | { type: "start-redis"; request: string }
  | { type: "apply-edit"; request: string; edit: string }
  | { type: "save"; request: string; path: string; text: string; base: string }
  | { type: "reset"; request: string; scope: "file" | "lesson"; path?: string | undefined }
  | { type: "check-now"; request: string }
  | { type: "ping" };

/** Why a request was refused. `message` is for the learner and says what to do. */
export type ErrorCode =
  | "bad-message"
  | "busy"
  | "conflict"
  | "not-found"
  | "no-lesson"
  | "redis-down"
  | "failed";

/** What the server says, as JSON text frames. State messages are whole, never deltas: the newest one wins. */
export type ServerMessage =
  | {
      readonly type: "welcome";
      readonly version: string;
      /** Slug of the active lesson; null before any was opened. */
      readonly lesson: string | null;
      readonly pty: PtyRung;
      readonly platform: string;
    }
  | {
      /** After `open-lesson`, `reset`, or when the lesson's files changed on disk (authoring). */
      readonly type: "lesson";
      readonly lesson: LessonView;
      readonly files: readonly FileView[];
    }
  | { readonly type: "redis"; readonly redis: RedisView }
  | { readonly type: "pane"; readonly pane: PaneId; readonly state: PaneState }
  /** Output was skipped for a slow browser; a snapshot follows. */
  | { readonly type: "skipped"; readonly pane: PaneId; readonly lines: number }
  | { readonly type: "steps"; readonly steps: Readonly<Record<string, StepState>> }
  | { readonly type: "edits"; readonly edits: Readonly<Record<string, EditState>> }
  | { readonly type: "checks"; readonly checks: readonly CheckState[] }
  | { readonly type: "queue"; readonly queue: QueueView }
  /** A file changed on disk, by the learner's save, an edit, a reset or another program. */
  | { readonly type: "file"; readonly file: FileView }
  /** Something the learner should know, with the next step in words. `id` replaces an earlier notice of the same id. */
  | {
      readonly type: "notice";
      readonly id: string;
      readonly level: "info" | "warning" | "error";
      readonly text: string;
    }
  | { readonly type: "notice-gone"; readonly id: string }
  | { readonly type: "done"; readonly request: string }
  | {
      readonly type: "error";
      readonly request: string | null;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly type: "pong" };
