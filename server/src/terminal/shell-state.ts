import type { PaneState } from "../protocol/index.ts";

/** What a shell is doing, with what the page does not need to know. Times: `since` wall, `startedAt` monotonic, in ms. */
export type ShellState =
  | { readonly phase: "starting" }
  | { readonly phase: "idle"; readonly exit: number | null; readonly seconds: number | null }
  | Typing
  | Busy
  | { readonly phase: "closed"; readonly reason: string };

/** We are about to type this; the shell still sits at its prompt. */
interface Typing {
  readonly phase: "typing";
  readonly command: string;
  readonly since: number;
  /** What to go back to when nothing comes of it. */
  readonly before: { readonly exit: number | null; readonly seconds: number | null };
}

interface Busy {
  readonly phase: "busy";
  readonly command: string;
  readonly since: number;
  readonly startedAt: number;
  /** Only Enter was seen, and the shell does not say whether that began anything. */
  readonly guessed: boolean;
  /** The command is over; the prompt is about to come. */
  readonly end: { readonly exit: number; readonly seconds: number } | undefined;
}

export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export type ShellEvent =
  | { readonly type: "claimed"; readonly command: string; readonly at: Moment }
  | { readonly type: "released" }
  /** Enter was pressed for this command, or by the learner for who knows what. */
  | { readonly type: "entered"; readonly command: string; readonly guessed: boolean; readonly at: Moment }
  /** The shell says that it starts a command; of several in one input it says so for each. */
  | { readonly type: "began"; readonly command: string; readonly at: Moment }
  | { readonly type: "ended"; readonly exit: number; readonly at: Moment }
  | { readonly type: "prompted" }
  /** The shell wants the rest of the input. */
  | { readonly type: "continued" }
  | { readonly type: "closed"; readonly reason: string };

/** The next state, or the same object when the event means nothing in this one. */
export function advance(state: ShellState, event: ShellEvent): ShellState {
  switch (event.type) {
    case "claimed":
      if (state.phase !== "idle") return state;
      return { phase: "typing", command: event.command, since: event.at.now, before: state };
    case "released":
      return state.phase === "typing" ? { ...state.before, phase: "idle" } : state;
    case "entered":
      if (state.phase === "typing") return { ...busy(event.command, event.at), since: state.since };
      return state.phase === "idle" ? { ...busy(event.command, event.at), guessed: event.guessed } : state;
    case "began":
      return state.phase === "idle" ? busy(event.command, event.at) : state;
    case "ended":
      return state.phase === "busy" ? { ...state, end: endOf(state, event.exit, event.at) } : state;
    case "prompted":
      return afterPrompt(state);
    case "continued":
      return state.phase === "busy" && state.guessed ? { phase: "idle", exit: null, seconds: null } : state;
    case "closed":
      return state.phase === "closed" ? state : { phase: "closed", reason: event.reason };
  }
}

/** What the page is told. */
export function viewOf(state: ShellState, epoch: number): PaneState {
  switch (state.phase) {
    case "starting":
      return { phase: "starting", epoch };
    case "idle":
      return { phase: "idle", epoch, exit: state.exit, seconds: state.seconds };
    case "typing":
    case "busy":
      return { phase: "busy", epoch, command: state.command, since: state.since };
    case "closed":
      return { phase: "closed", epoch, reason: state.reason };
  }
}

function busy(command: string, at: Moment): Busy {
  return { phase: "busy", command, since: at.now, startedAt: at.monotonic, guessed: false, end: undefined };
}

function endOf(state: Busy, exit: number, at: Moment): NonNullable<Busy["end"]> {
  return { exit, seconds: Math.max(0, at.monotonic - state.startedAt) / 1000 };
}

/** A prompt without an end before it is only drawn again, as after a resize. */
function afterPrompt(state: ShellState): ShellState {
  if (state.phase === "starting") return { phase: "idle", exit: null, seconds: null };
  if (state.phase !== "busy" || state.end === undefined) return state;
  return { phase: "idle", exit: state.end.exit, seconds: state.end.seconds };
}
