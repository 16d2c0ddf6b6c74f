import type { TrackedTask, TrackedWorker } from "../../events/index.ts";
import { detailLines } from "./details.ts";
import { type Model, type Screen, selectedTask } from "./model.ts";
import { clip, fit, plain, width } from "./text.ts";

export interface ViewOptions {
  readonly columns: number;
  readonly rows: number;
  /** Epoch seconds. */
  readonly nowSeconds: number;
  /** Shown in the title, without its password. */
  readonly broker: string;
  readonly color: boolean;
}

type Paint = (text: string, ...codes: readonly number[]) => string;

const BOLD = 1;
const DIM = 2;
const REVERSE = 7;
const STATE_COLORS: Readonly<Record<string, number>> = {
  SUCCESS: 32,
  FAILURE: 31,
  RETRY: 33,
  REVOKED: 35,
  REJECTED: 35,
  STARTED: 36,
  RECEIVED: 34,
};
/** Title, counts and keys. */
const FRAME_LINES = 3;
/** Lines that the workers' part may take of the screen. */
const WORKERS_SHARE = 1 / 3;

/** The whole screen: exactly `rows` lines, none wider than `columns`. */
export function render(model: Model, options: ViewOptions): readonly string[] {
  const { rows, columns } = options;
  const paint = painter(options.color);
  const head = [paint(fit(title(options), columns), REVERSE), summary(model, options, paint)];
  const foot = footer(model.screen, columns, paint);
  const room = Math.max(0, rows - FRAME_LINES);
  const body = bodyOf(model, room, options, paint);
  const filled = [
    ...head,
    ...body.slice(0, room),
    ...Array<string>(Math.max(0, room - body.length)).fill(""),
  ];
  return rows < FRAME_LINES ? filled.slice(0, rows) : [...filled, foot];
}

/** The same, scrolled no further than there is text: only here it is known how long that is. */
export function settle(model: Model, { rows, columns }: Pick<ViewOptions, "rows" | "columns">): Model {
  const { screen } = model;
  if (screen.kind !== "details") return model;
  const lines = detailLines(model.state.tasks.get(screen.uuid), screen.uuid, columns);
  const scroll = Math.min(screen.scroll, Math.max(0, lines.length - (rows - FRAME_LINES)));
  return scroll === screen.scroll ? model : { ...model, screen: { ...screen, scroll } };
}

function title({ columns, broker, nowSeconds }: ViewOptions): string {
  const left = ` celery events  ${plain(broker)}`;
  const right = `${clockTime(nowSeconds)} `;
  return fit(left, Math.max(0, columns - width(right))) + right;
}

function summary({ state, trouble }: Model, { nowSeconds, columns }: ViewOptions, paint: Paint): string {
  const [alive, all] = [state.aliveWorkers(nowSeconds).length, state.workers.size];
  const counts = ` ${count(state.eventCount)} events · ${count(state.taskCount)} tasks received · ${alive}/${all} workers alive`;
  if (trouble === null) return paint(clip(counts, columns), DIM);
  return paint(clip(` ${plain(trouble)}`, columns), 31, BOLD);
}

function bodyOf(model: Model, room: number, options: ViewOptions, paint: Paint): readonly string[] {
  const { screen } = model;
  switch (screen.kind) {
    case "details":
      return detailLines(model.state.tasks.get(screen.uuid), screen.uuid, options.columns)
        .slice(screen.scroll, screen.scroll + room)
        .map(({ label, text }) => {
          const parts = clipParts([label, text] as const, options.columns);
          return paint(parts[0], BOLD) + parts[1];
        });
    case "help":
      return HELP.map((line) => clip(line, options.columns));
    case "answers":
      return answerLines(screen, options.columns, paint);
    case "tasks":
    case "rate":
    case "confirm":
      return tasksBody(model, room, options, paint);
  }
}

const HELP: readonly string[] = [
  "",
  "  ↑ ↓ j k          mark a task; PgUp, PgDn, g and G go further",
  "  Enter, i         everything known about the marked task",
  "  c                revoke it: no worker runs it any more",
  "  t                terminate it: revoke it and end it if it runs",
  "  l                a rate limit for all tasks of its name",
  "  q, Ctrl-C        quit",
  "",
  "  Only what was told since this view began is shown. Workers tell of tasks",
  "  with -E, or after: celery control enable_events",
  "",
  "  Any key goes back.",
];

function answerLines(
  screen: Extract<Screen, { kind: "answers" }>,
  columns: number,
  paint: Paint,
): readonly string[] {
  const lines = screen.lines ?? ["waiting for answers…"];
  return [
    "",
    `  ${paint(clip(plain(screen.title), columns - 2), BOLD)}`,
    "",
    ...lines.map((line) => clip(`  ${plain(line)}`, columns)),
  ];
}

function tasksBody(model: Model, room: number, options: ViewOptions, paint: Paint): readonly string[] {
  const workers = [...model.state.workers.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  const shown = workers.slice(0, Math.max(1, Math.floor(room * WORKERS_SHARE)));
  const hidden = workers.length - shown.length;
  const top = [
    paint(clip(` WORKERS${hidden > 0 ? `  (${hidden} more)` : ""}`, options.columns), BOLD),
    ...(shown.length === 0 ? [paint(clip("   none heard of yet", options.columns), DIM)] : []),
    ...shown.map((worker) => workerRow(worker, options, paint)),
  ];
  return [...top, ...taskTable(model, Math.max(0, room - top.length), options, paint)];
}

function workerRow(worker: TrackedWorker, { nowSeconds, columns }: ViewOptions, paint: Paint): string {
  const isAlive = worker.isAlive(nowSeconds);
  const name = fit(plain(worker.hostname), Math.min(28, Math.max(12, Math.floor(columns / 3))));
  const silence = Math.max(0, Math.round(nowSeconds - (worker.lastHeartbeat ?? nowSeconds)));
  const facts = isAlive
    ? [
        `${worker.active ?? 0} running`.padEnd(12),
        `${count(worker.processed ?? 0)} done`.padEnd(14),
        `load ${(worker.loadavg ?? [])
          .slice(0, 3)
          .map((load) => load.toFixed(2))
          .join(" ")}`.padEnd(22),
        plain(`${worker.sw_ident ?? ""} ${worker.sw_ver ?? ""}`),
      ]
    : [`not heard of for ${silence} s`];
  const text = clip(`${name} ${facts.join(" ")}`, Math.max(0, columns - 4));
  return ` ${paint(isAlive ? "●" : "○", isAlive ? 32 : 31)} ${isAlive ? text : paint(text, DIM)}`;
}

interface Columns {
  readonly task: number;
  readonly worker: number;
  readonly id: number;
}

/** Marker, time, state and run time have their widths; ids are shown whole where there is room. */
function columnWidths(columns: number): Columns {
  const rest = Math.max(0, columns - (2 + 9 + 10 + 10));
  const id = rest >= 90 ? 37 : rest >= 50 ? 9 : 0;
  const worker = rest - id >= 40 ? Math.min(24, Math.floor((rest - id) / 3)) : 0;
  return { id, worker, task: Math.max(0, rest - id - worker) };
}

function taskTable(model: Model, room: number, options: ViewOptions, paint: Paint): readonly string[] {
  const widths = columnWidths(options.columns);
  const tasks = model.state.tasksByTime();
  const header = `  ${fit("TIME", 9)}${fit("STATE", 10)}${fit("TASK", widths.task)}${fit("WORKER", widths.worker)}${fit("RUN TIME", 9, "right")} ${fit("ID", widths.id)}`;
  const lines = ["", paint(clip(header, options.columns), BOLD)];
  if (tasks.length === 0) lines.push(paint(clip("   no task heard of yet", options.columns), DIM));
  const visible = Math.max(0, room - lines.length);
  const marked = selectedTask(model);
  const at = marked ? tasks.indexOf(marked) : 0;
  const first = Math.max(0, Math.min(at - Math.floor(visible / 2), tasks.length - visible));
  const rows = tasks
    .slice(first, first + visible)
    .map((task) => taskRow(task, task === marked, widths, { options, paint }));
  return [...lines, ...rows];
}

function taskRow(
  task: TrackedTask,
  isMarked: boolean,
  widths: Columns,
  { options, paint }: { readonly options: ViewOptions; readonly paint: Paint },
): string {
  const { fields } = task;
  const seconds = fields.runtime === null ? "" : `${fields.runtime.toFixed(3)} s`;
  const state = fit(plain(task.state), 10);
  const before = `${isMarked ? "▸ " : "  "}${fit(clockTime(task.timestamp), 9)}`;
  const after =
    fit(fit(plain(describe(task)), widths.task - 1), widths.task) +
    fit(plain(task.worker ?? "–"), widths.worker) +
    `${fit(seconds, 9, "right")} ` +
    (widths.id === 0 ? "" : fit(widths.id > 30 ? task.uuid : task.uuid.slice(0, 8), widths.id));
  if (isMarked) return paint(clip(before + state + after, options.columns), REVERSE);
  const parts = clipParts([before, state, after] as const, options.columns);
  return parts[0] + paint(parts[1], STATE_COLORS[task.state] ?? DIM) + parts[2];
}

/** Parts of one line, which are painted differently, cut where the line ends. */
function clipParts<T extends readonly string[]>(parts: T, columns: number): T {
  let room = columns;
  return parts.map((part) => {
    const cut = clip(part, room);
    room -= width(cut);
    return cut;
  }) as unknown as T;
}

/** `tasks.add(2, 3, **{'z': 4})`, as it was called. */
function describe({ name, fields: { args, kwargs } }: TrackedTask): string {
  if (name === null) return "?";
  // Clients send the positional ones as they were given: a tuple or a list.
  const positional = (args ?? "").replace(/^[([](.*?),?[)\]]$/s, "$1");
  const keywords = kwargs === null || kwargs === "{}" ? "" : `**${kwargs}`;
  return `${name}(${[positional, keywords].filter(Boolean).join(", ")})`;
}

function footer(screen: Screen, columns: number, paint: Paint): string {
  if (screen.kind === "rate") {
    const text = ` New rate limit for ${plain(screen.task)} (10/s, 5/m, 100/h; 0 for none): ${screen.text}█`;
    return paint(fit(text, columns), BOLD);
  }
  if (screen.kind === "confirm") {
    const verb = screen.terminate ? "Terminate" : "Revoke";
    return paint(fit(` ${verb} ${screen.uuid}?  y yes · any other key no`, columns), BOLD);
  }
  return paint(fit(KEYS[screen.kind], columns), REVERSE);
}

const KEYS: Readonly<Record<"tasks" | "details" | "help" | "answers", string>> = {
  tasks: " ↑↓ mark · ⏎ details · c revoke · t terminate · l rate limit · ? help · q quit",
  details: " ↑↓ scroll · c revoke · t terminate · l rate limit · q back",
  help: " any key: back",
  answers: " any key: back",
};

function painter(color: boolean): Paint {
  return (text, ...codes) => (color && text !== "" ? `\u001b[${codes.join(";")}m${text}\u001b[0m` : text);
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** `12:30:04`, local; dashes where nobody told a moment. */
function clockTime(epochSeconds: number | null): string {
  if (epochSeconds === null || Number.isNaN(epochSeconds)) return "--:--:--";
  const d = new Date(epochSeconds * 1000);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}
