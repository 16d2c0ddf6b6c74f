import type { State, TrackedTask } from "../../events/index.ts";

/** What the screen shows. */
export type Screen =
  | { readonly kind: "tasks" }
  | { readonly kind: "details"; readonly uuid: string; readonly scroll: number }
  | { readonly kind: "help" }
  /** A new rate limit is being typed. */
  | { readonly kind: "rate"; readonly task: string; readonly text: string }
  | { readonly kind: "confirm"; readonly uuid: string; readonly terminate: boolean }
  /** What workers said to a command; null while waiting for it. */
  | { readonly kind: "answers"; readonly title: string; readonly lines: readonly string[] | null };

/** The monitor at one moment. `state` is folded in place; all else is replaced. */
export interface Model {
  readonly state: State;
  /** Id of the marked task; null is the newest. */
  readonly selected: string | null;
  readonly screen: Screen;
  /** Why there is nothing new, if the broker is away. */
  readonly trouble: string | null;
}

/** What a key asks the outside world for. */
export type Action =
  | { readonly kind: "quit" }
  | { readonly kind: "revoke"; readonly uuid: string; readonly terminate: boolean }
  | { readonly kind: "rate"; readonly task: string; readonly limit: string };

export interface Step {
  readonly model: Model;
  readonly action?: Action;
}

/** Rows by which page up and page down move. */
const PAGE = 10;
const MOVES: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -PAGE,
  pagedown: PAGE,
  home: Number.NEGATIVE_INFINITY,
  g: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
  G: Number.POSITIVE_INFINITY,
};

export function makeModel(state: State): Model {
  return { state, selected: null, screen: { kind: "tasks" }, trouble: null };
}

/** What a key does. `key` is a character, or a name from `readKeys`. */
export function press(model: Model, key: string): Step {
  if (key === "ctrl-c") return { model, action: { kind: "quit" } };
  const { screen } = model;
  switch (screen.kind) {
    case "tasks":
      return pressInTasks(model, key);
    case "details":
      return pressInDetails(model, screen, key);
    case "rate":
      return pressInRate(model, screen, key);
    case "confirm":
      return key === "y" || key === "enter"
        ? begin(model, { kind: "revoke", uuid: screen.uuid, terminate: screen.terminate })
        : { model: show(model, { kind: "tasks" }) };
    case "help":
    case "answers":
      return { model: show(model, { kind: "tasks" }) };
  }
}

function pressInTasks(model: Model, key: string): Step {
  if (key === "q") return { model, action: { kind: "quit" } };
  if (key === "?" || key === "h") return { model: show(model, { kind: "help" }) };
  const move = MOVES[key];
  if (move !== undefined) return { model: select(model, move) };
  const task = selectedTask(model);
  return task ? pressOnTask(model, task, key) : { model };
}

function pressOnTask(model: Model, task: TrackedTask, key: string): Step {
  const { uuid, name } = task;
  const marked = { ...model, selected: uuid };
  switch (key) {
    case "enter":
    case "i":
      return { model: show(marked, { kind: "details", uuid, scroll: 0 }) };
    case "c":
      return { model: show(marked, { kind: "confirm", uuid, terminate: false }) };
    case "t":
      return { model: show(marked, { kind: "confirm", uuid, terminate: true }) };
    case "l":
      return name === null ? { model } : { model: show(marked, { kind: "rate", task: name, text: "" }) };
    default:
      return { model };
  }
}

function pressInDetails(model: Model, screen: Extract<Screen, { kind: "details" }>, key: string): Step {
  const move = MOVES[key];
  if (move !== undefined) {
    // Where the end is, the view knows: `settle` holds this to it.
    const scroll = Math.max(0, screen.scroll + move);
    return { model: show(model, { ...screen, scroll }) };
  }
  const task = model.state.tasks.get(screen.uuid);
  if (task && ["c", "t", "l"].includes(key)) return pressOnTask(model, task, key);
  return ["q", "escape", "enter", "i"].includes(key) ? { model: show(model, { kind: "tasks" }) } : { model };
}

function pressInRate(model: Model, screen: Extract<Screen, { kind: "rate" }>, key: string): Step {
  const { task, text } = screen;
  if (key === "escape") return { model: show(model, { kind: "tasks" }) };
  if (key === "enter" && text !== "") return begin(model, { kind: "rate", task, limit: text });
  if (key === "backspace") return { model: show(model, { ...screen, text: text.slice(0, -1) }) };
  return /^[\d./smh]$/.test(key) ? { model: show(model, { ...screen, text: text + key }) } : { model };
}

/** Shows that an answer is awaited, and asks for it. */
function begin(model: Model, action: Exclude<Action, { kind: "quit" }>): Step {
  const title =
    action.kind === "rate"
      ? `Rate limit ${action.limit} for ${action.task}`
      : `${action.terminate ? "Terminate" : "Revoke"} ${action.uuid}`;
  return { model: show(model, { kind: "answers", title, lines: null }), action };
}

/** The answers have come; shown if they are still waited for. */
export function showAnswers(model: Model, lines: readonly string[]): Model {
  const { screen } = model;
  return screen.kind === "answers" && screen.lines === null ? show(model, { ...screen, lines }) : model;
}

export function selectedTask({ state, selected }: Model): TrackedTask | undefined {
  return (selected === null ? undefined : state.tasks.get(selected)) ?? state.tasksByTime(1)[0];
}

function select(model: Model, by: number): Model {
  const tasks = model.state.tasksByTime();
  if (tasks.length === 0) return model;
  const at = Math.max(
    0,
    tasks.findIndex(({ uuid }) => uuid === model.selected),
  );
  const next = Math.max(0, Math.min(tasks.length - 1, at + by));
  // At the top again: follow what is newest.
  return { ...model, selected: next === 0 ? null : (tasks[next]?.uuid ?? null) };
}

function show(model: Model, screen: Screen): Model {
  return { ...model, screen };
}
