import type { TrackedTask } from "../../events/index.ts";
import { wrap } from "./text.ts";

/** A line of the details: a label to stand out, and what follows it. */
export interface DetailLine {
  readonly label: string;
  readonly text: string;
}

const LABEL_WIDTH = 14;

/** Everything known about a task, broken into lines of the screen. */
export function detailLines(
  task: TrackedTask | undefined,
  uuid: string,
  columns: number,
): readonly DetailLine[] {
  if (!task) return [{ label: "", text: `  ${uuid} is forgotten: newer tasks took its place.` }];
  const room = Math.max(10, columns - LABEL_WIDTH);
  return facts(task).flatMap(([name, value]) =>
    wrap(value, room).map((text, i) => ({ label: `  ${i === 0 ? name : ""}`.padEnd(LABEL_WIDTH), text })),
  );
}

function facts(task: TrackedTask): readonly (readonly [name: string, value: string])[] {
  const { fields } = task;
  const known = {
    task: task.name,
    id: task.uuid,
    state: task.state,
    args: fields.args,
    kwargs: fields.kwargs,
    result: fields.result,
    runtime: fields.runtime === null ? null : `${fields.runtime} s`,
    exception: fields.exception,
    worker: task.worker,
    client: task.client,
    retries: fields.retries,
    eta: fields.eta,
    expires: fields.expires,
    queue: fields.queue,
    "routing key": fields.routing_key,
    root: fields.root_id,
    parent: fields.parent_id,
    ...Object.fromEntries(Object.entries(task.times).map(([event, at]) => [event, moment(at)])),
    traceback: fields.traceback,
  };
  return [
    ["", ""],
    ...Object.entries(known).flatMap(([name, value]) =>
      value === null || value === undefined || value === "" ? [] : [[name, String(value)] as const],
    ),
  ];
}

/** With milliseconds (or `?`): what happens between two events is often less than a second. */
function moment(epochSeconds: number): string {
  return Number.isNaN(epochSeconds) ? "?" : new Date(epochSeconds * 1000).toISOString().replace("T", " ");
}
