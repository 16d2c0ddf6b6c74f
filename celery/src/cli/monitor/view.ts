import { detailLines } from "./details.ts";
import { footer } from "./footer.ts";
import { type Model, type Screen, selectedTask } from "./model.ts";
import { BOLD, DIM, type Paint, painter, REVERSE } from "./paint.ts";
import { clockTime, count, type RowOptions, taskHeader, taskRow, workerRow } from "./rows.ts";
import { clip, clipParts, fit, plain, width, wrapWords } from "./text.ts";

export interface ViewOptions {
  readonly columns: number;
  readonly rows: number;
  /** Epoch seconds. */
  readonly nowSeconds: number;
  /** Shown in the title, without its password. */
  readonly broker: string;
  readonly color: boolean;
}

type PaintedOptions = ViewOptions & RowOptions;

/** Title, counts and keys. */
const FRAME_LINES = 3;
/** Lines that the workers' part may take of the screen. */
const WORKERS_SHARE = 1 / 3;

/** The whole screen: exactly `rows` lines, none wider than `columns`. */
export function render(model: Model, given: ViewOptions): readonly string[] {
  const { rows, columns } = given;
  const paint = painter(given.color);
  const options = { ...given, paint };
  const head = [paint(fit(title(options), columns), REVERSE), summary(model, options)];
  const room = Math.max(0, rows - FRAME_LINES);
  const body = bodyOf(model, room, options).slice(0, room);
  const filled = [...head, ...body, ...Array<string>(room - body.length).fill("")];
  return rows < FRAME_LINES ? filled.slice(0, rows) : [...filled, footer(model, columns, paint)];
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
  const right = ` ${clockTime(nowSeconds)} `;
  return fit(` celery events  ${plain(broker)}`, Math.max(0, columns - width(right))) + right;
}

function summary({ state, trouble }: Model, { nowSeconds, columns, paint }: PaintedOptions): string {
  if (trouble !== null) return paint(clip(` ${plain(trouble)}`, columns), 31, BOLD);
  const [alive, all] = [state.aliveWorkers(nowSeconds).length, state.workers.size];
  const workers = alive === all ? some(all, "worker") : `${count(alive)} of ${some(all, "worker")} alive`;
  const counts = [workers, some(state.taskCount, "task"), some(state.eventCount, "event")];
  return paint(clip(` ${counts.join(" · ")}`, columns), DIM);
}

function some(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

function bodyOf(model: Model, room: number, options: PaintedOptions): readonly string[] {
  const { screen } = model;
  const { columns, paint } = options;
  switch (screen.kind) {
    case "details":
      return detailLines(model.state.tasks.get(screen.uuid), screen.uuid, columns)
        .slice(screen.scroll, screen.scroll + room)
        .map(({ label, text }) => {
          const parts = clipParts([label, text] as const, columns);
          return paint(parts[0], BOLD) + parts[1];
        });
    case "help":
      return helpLines(columns, room, paint);
    case "answers":
      return answerLines(screen, columns, paint);
    case "tasks":
    case "rate":
    case "confirm":
      return tasksBody(model, room, options);
  }
}

const HELP_KEYS: readonly (readonly [keys: string, text: string])[] = [
  ["↑ ↓ j k", "mark a task"],
  ["PgUp g G", "go further"],
  ["⏎ i", "all about the marked task"],
  ["c", "revoke it: nobody runs it"],
  ["t", "terminate it: end it, too"],
  ["l", "rate limit for its name"],
  ["q Ctrl-C", "quit"],
];
const HELP_NOTE =
  "Only what was told since this view began is shown. Workers tell of tasks with -E, or after: celery control enable_events";

/** The keys come first: a small screen has room for little else. */
function helpLines(columns: number, room: number, paint: Paint): readonly string[] {
  const keys = HELP_KEYS.map(([names, text]) => {
    const parts = clipParts([`  ${fit(names, 9)} `, text] as const, columns);
    return paint(parts[0], BOLD) + parts[1];
  });
  const note = wrapWords(HELP_NOTE, Math.min(76, columns - 2)).map((line) => clip(`  ${line}`, columns));
  const isRoomy = room >= keys.length + note.length + 2;
  return isRoomy ? ["", ...keys, "", ...note] : [...keys, ...note];
}

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

function tasksBody(model: Model, room: number, options: PaintedOptions): readonly string[] {
  const { columns, paint } = options;
  const workers = [...model.state.workers.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  const shown = workers.slice(0, Math.max(1, Math.floor(room * WORKERS_SHARE)));
  const hidden = workers.length - shown.length;
  const top = [
    paint(clip(` WORKERS${hidden > 0 ? `  (${hidden} more)` : ""}`, columns), BOLD),
    ...(shown.length === 0 ? [paint(clip("   none heard of yet", columns), DIM)] : []),
    ...shown.map((worker) => workerRow(worker, options)),
  ];
  return [...top, ...taskTable(model, Math.max(0, room - top.length), options)];
}

function taskTable(model: Model, room: number, options: PaintedOptions): readonly string[] {
  const { columns, paint } = options;
  const tasks = model.state.tasksByTime();
  const lines = ["", paint(taskHeader(columns), BOLD)];
  if (tasks.length === 0) {
    const hint = model.state.workers.size > 0 ? ": workers tell of them with -E (? for more)" : "";
    lines.push(paint(clip(`   no task heard of yet${hint}`, columns), DIM));
  }
  const visible = Math.max(0, room - lines.length);
  const marked = selectedTask(model);
  const at = marked ? tasks.indexOf(marked) : 0;
  const first = Math.max(0, Math.min(at - Math.floor(visible / 2), tasks.length - visible));
  const rows = tasks.slice(first, first + visible).map((task) => taskRow(task, task === marked, options));
  return [...lines, ...rows];
}
