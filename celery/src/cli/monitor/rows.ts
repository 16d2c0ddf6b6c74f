import type { TrackedTask, TrackedWorker } from "../../events/index.ts";
import { DIM, type Paint, REVERSE, STATE_COLORS } from "./paint.ts";
import { clip, clipParts, fit, joinWhile, plain, shortId, shortName, width } from "./text.ts";

export interface RowOptions {
  readonly columns: number;
  /** Epoch seconds. */
  readonly nowSeconds: number;
  readonly paint: Paint;
}

/** Widths; what there is no room for has none. The task comes before everything but its state. */
interface Columns {
  readonly time: number;
  readonly task: number;
  readonly worker: number;
  readonly runTime: number;
  readonly id: number;
}

const [MARK, STATE, TIME, RUN_TIME] = [2, 10, 9, 10];
const [SHORT_ID, LONG_ID] = [10, 37];

function columnWidths(columns: number): Columns {
  const time = columns >= 52 ? TIME : 0;
  const runTime = columns >= 62 ? RUN_TIME : 0;
  const rest = Math.max(0, columns - MARK - STATE - time - runTime);
  const id = rest >= 100 ? LONG_ID : rest >= 55 ? SHORT_ID : 0;
  const worker = rest - id >= 40 ? Math.min(24, Math.floor((rest - id) / 3)) : 0;
  return { time, runTime, id, worker, task: Math.max(0, rest - id - worker) };
}

export function taskHeader(columns: number): string {
  const { time, task, worker, runTime, id } = columnWidths(columns);
  const left = fit("TIME", time) + fit("STATE", STATE) + fit("TASK", task) + fit("WORKER", worker);
  return clip(`  ${left}${cell("RUN TIME", runTime)}${fit("ID", id)}`, columns);
}

export function taskRow(task: TrackedTask, isMarked: boolean, options: RowOptions): string {
  const { columns, paint } = options;
  const widths = columnWidths(columns);
  const state = fit(plain(task.state), STATE);
  const before = `${isMarked ? "▸ " : "  "}${fit(clockTime(task.timestamp), widths.time)}`;
  const after =
    fit(clip(describe(task, widths.task - 1), widths.task - 1), widths.task) +
    fit(clip(plain(task.worker ?? "–"), widths.worker - 1), widths.worker) +
    cell(runTime(task, options.nowSeconds), widths.runTime) +
    fit(widths.id === LONG_ID ? plain(task.uuid) : shortId(task.uuid), widths.id);
  if (isMarked) return paint(clip(before + state + after, columns), REVERSE);
  const parts = clipParts([before, state, after] as const, columns);
  return parts[0] + paint(parts[1], STATE_COLORS[task.state] ?? DIM) + parts[2];
}

/** Right-aligned, with a gap behind it. */
function cell(text: string, columns: number): string {
  return columns === 0 ? "" : `${fit(text, columns - 1, "right")} `;
}

/** How long it took; how long it runs, as far as this machine's clock knows. */
function runTime({ state, heard, fields }: TrackedTask, nowSeconds: number): string {
  if (fields.runtime !== null) return `${fields.runtime.toFixed(3)} s`;
  return state === "STARTED" ? `${Math.max(0, Math.floor(nowSeconds - heard))} s` : "";
}

/** `tasks.add(2, 3, **{'z': 4})`, as it was called; and what went wrong. */
function describe({ name, state, fields }: TrackedTask, columns: number): string {
  if (name === null) return "?";
  const { args, kwargs, exception } = fields;
  // Clients send the positional ones as they were given: a tuple or a list.
  const positional = (args ?? "").replace(/^[([](.*?),?[)\]]$/s, "$1");
  const keywords = kwargs === null || kwargs === "{}" ? "" : `**${kwargs}`;
  const call = `${shortName(plain(name), columns - 2)}(${[positional, keywords].filter(Boolean).join(", ")})`;
  const isTrouble = exception !== null && (state === "FAILURE" || state === "RETRY");
  return plain(isTrouble ? `${call}  ${exception}` : call);
}

/** `12:30:04`, local; dashes where nobody told a moment. */
export function clockTime(epochSeconds: number | null): string {
  if (epochSeconds === null || Number.isNaN(epochSeconds)) return "--:--:--";
  const d = new Date(epochSeconds * 1000);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

export function workerRow(worker: TrackedWorker, { columns, nowSeconds, paint }: RowOptions): string {
  const isAlive = worker.isAlive(nowSeconds);
  const name = fit(plain(worker.hostname), Math.min(28, Math.max(12, Math.floor(columns / 3))));
  const room = Math.max(0, columns - 4 - width(name));
  const text = clip(
    name + joinWhile(isAlive ? facts(worker) : [silence(worker, nowSeconds)], room),
    Math.max(0, columns - 3),
  );
  return ` ${paint(isAlive ? "●" : "○", isAlive ? 32 : 31)} ${isAlive ? text : paint(text, DIM)}`;
}

function silence({ lastHeartbeat }: TrackedWorker, nowSeconds: number): string {
  return ` not heard of for ${Math.max(0, Math.round(nowSeconds - (lastHeartbeat ?? nowSeconds)))} s`;
}

function facts({ active, processed, loadavg, sw_ident, sw_ver }: TrackedWorker): readonly string[] {
  const load = (loadavg ?? []).slice(0, 3).map((value) => value.toFixed(2));
  return [
    ` ${`${count(active ?? 0)} running`.padEnd(11)}`,
    ` ${`${count(processed ?? 0)} done`.padEnd(12)}`,
    load.length === 0 ? "" : ` ${`load ${load.join(" ")}`.padEnd(22)}`,
    ` ${plain(`${sw_ident ?? ""} ${sw_ver ?? ""}`.trim())}`,
  ];
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}
