import { once } from "node:events";
import type { CeleryApp } from "../app/types.ts";
import type { EventReceiver, RawEvent } from "../events/index.ts";
import { formatPython, formatPythonFloat } from "../protocol/python-repr.ts";
import { systemClock } from "../runtime/clock.ts";
import { visible } from "../runtime/shown.ts";
import type { CommandContext } from "./command.ts";

/** Names of tasks that are remembered for events that tell only the id. */
const NAMES_KEPT = 4095;
const HOLD_MS = 60_000;
const HUMAN_TYPES: ReadonlyMap<string, string> = new Map([
  ["worker-offline", "shutdown"],
  ["worker-online", "started"],
  ["worker-heartbeat", "heartbeat"],
]);
/** JSON does not tell 2.0 from 2; these are floats in Python. */
const FLOATS: ReadonlySet<string> = new Set(["freq", "loadavg", "local_received", "runtime"]);

/** Writes every event as a line until it is interrupted. */
export async function dumpEvents(
  receiver: EventReceiver,
  app: CeleryApp,
  context: CommandContext,
): Promise<number> {
  const say = (line: string): void => void context.stdout.write(`${line}\n`);
  const dumper = new EventDumper();
  const stop = context.interrupted();
  say("-> evdump: starting capture...");
  receiver.events.on("raw", (event) => say(dumper.line(event, systemClock.nowMs() / 1000)));
  // Said once, however often it is tried again.
  let isAway = false;
  receiver.events.on("down", (fault) => {
    if (!isAway) say(`-> ${fault.message}\n-> Trying again until it is there.`);
    isAway = true;
  });
  // Workers that are there already show up at once; one that cannot be asked now shows up with its next heartbeat.
  receiver.events.on("up", () => {
    if (isAway) say("-> Connected again; what was told meanwhile is missed.");
    isAway = false;
    void app.control.heartbeat().catch(() => undefined);
  });
  // Listening alone does not keep a process alive.
  const hold = setInterval(() => undefined, HOLD_MS);
  if (!stop.aborted) await once(stop, "abort");
  clearInterval(hold);
  return 0;
}

/** Lines as Celery's. @see celery 5.7.0 events/dumper.py, `Dumper` */
export class EventDumper {
  readonly #names = new Map<string, string>();

  /** @param receivedAt epoch seconds of this machine. */
  line(event: RawEvent, receivedAt: number): string {
    const { type: rawType, hostname, timestamp, ...rest } = event;
    const type = rawType.toLowerCase();
    const fields: Record<string, unknown> = { ...rest, local_received: receivedAt };
    const task = type.startsWith("task-") ? `${this.#takeTask(type, fields)} ` : "";
    const listed = Object.keys(fields)
      .sort()
      .map((key) => `${key}=${show(key, fields[key])}`)
      .join(", ");
    const what = HUMAN_TYPES.get(type) ?? type.replaceAll("-", " ");
    return visible(`${hostname || "?"} [${pythonTime(timestamp)}] ${what}: ${task}${listed}`);
  }

  /** Takes what describes the task out of the fields. */
  #takeTask(type: string, fields: Record<string, unknown>): string {
    const uuid = take(fields, "uuid");
    if (type !== "task-received" && type !== "task-sent") return this.#names.get(uuid) ?? "";
    const name = take(fields, "name");
    const text = `${name}(${uuid}) args=${take(fields, "args")} kwargs=${take(fields, "kwargs")}`;
    this.#names.set(uuid, text);
    if (this.#names.size > NAMES_KEPT) this.#names.delete(this.#names.keys().next().value ?? uuid);
    return text;
  }
}

function take(fields: Record<string, unknown>, key: string): string {
  const value = fields[key];
  delete fields[key];
  return show(key, value);
}

/** As Python's `str`. */
function show(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (FLOATS.has(key)) {
    if (typeof value === "number") return formatPythonFloat(value);
    if (Array.isArray(value)) return `[${value.map((item) => show(key, item)).join(", ")}]`;
  }
  return formatPython(value, { maxLevels: 0 });
}

/** `2026-11-21 10:38:47.900794+00:00`, as Python prints a moment in UTC; `?` for none. */
function pythonTime(epochSeconds: number): string {
  if (Number.isNaN(epochSeconds)) return "?";
  // As Python does: the fraction alone is multiplied, which rounds otherwise than the whole number would.
  const seconds = Math.floor(epochSeconds);
  const micros = roundHalfEven((epochSeconds - seconds) * 1e6);
  const fraction = micros % 1e6;
  const whole = new Date((seconds + (micros - fraction) / 1e6) * 1000)
    .toISOString()
    .slice(0, 19)
    .replace("T", " ");
  return `${whole}${fraction === 0 ? "" : `.${String(fraction).padStart(6, "0")}`}+00:00`;
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
