import type { RawEvent } from "../protocol/event.ts";
import { formatPython } from "../protocol/python-repr.ts";
import { isReady, type TaskState } from "../protocol/states.ts";

const STATE_OF: ReadonlyMap<string, TaskState> = new Map([
  ["sent", "PENDING"],
  ["received", "RECEIVED"],
  ["started", "STARTED"],
  ["failed", "FAILURE"],
  ["retried", "RETRY"],
  ["succeeded", "SUCCESS"],
  ["revoked", "REVOKED"],
  ["rejected", "REJECTED"],
]);

/** From the end to the beginning of a task's life; a state of somebody's own making stands where `null` does. @see celery 5.7.0 states.py */
const PRECEDENCE: readonly (string | null)[] = [
  "SUCCESS",
  "FAILURE",
  null,
  "REVOKED",
  "STARTED",
  "RECEIVED",
  "REJECTED",
  "RETRY",
  "PENDING",
];

/** Always taken from `task-received`, even when it comes after what followed. */
const TOLD_BY_RECEIVED: readonly string[] = [
  "name",
  "args",
  "kwargs",
  "parent_id",
  "root_id",
  "retries",
  "eta",
  "expires",
];

/** Fields of events that are remembered, with Celery's names. */
interface TaskFields {
  name: string | null;
  /** Python reprs. */
  args: string | null;
  kwargs: string | null;
  eta: string | null;
  expires: string | null;
  retries: number | null;
  result: string | null;
  exception: string | null;
  traceback: string | null;
  /** Seconds. */
  runtime: number | null;
  queue: string | null;
  exchange: string | null;
  routing_key: string | null;
  root_id: string | null;
  parent_id: string | null;
}

const NUMBERS: ReadonlySet<string> = new Set(["retries", "runtime"]);
/** @see celery 5.7.0 app/amqp.py, `argsrepr_maxsize` */
const AS_ARGUMENTS = { maxLength: 1024 };

const NOTHING_KNOWN: Readonly<TaskFields> = {
  name: null,
  args: null,
  kwargs: null,
  eta: null,
  expires: null,
  retries: null,
  result: null,
  exception: null,
  traceback: null,
  runtime: null,
  queue: null,
  exchange: null,
  routing_key: null,
  root_id: null,
  parent_id: null,
};

/**
 * A task as its events tell of it; they may come in any order.
 *
 * @see celery 5.7.0 events/state.py, `Task`
 */
export class TrackedTask {
  readonly uuid: string;
  state: TaskState = "PENDING";
  /** Node names: the worker that has it, the client that sent it. */
  worker: string | null = null;
  client: string | null = null;
  /** When it was sent, received, started, …: epoch seconds by event; NaN where the sender told no moment. */
  readonly times: Record<string, number> = {};
  /** Epoch seconds (or NaN) of the event that made the state what it is. */
  timestamp: number | null = null;
  /** Lamport clock of the newest event. */
  clock = 0;
  /** When the newest event came, epoch seconds of this machine. */
  heard = 0;
  #fields: TaskFields = { ...NOTHING_KNOWN };

  constructor(uuid: string) {
    this.uuid = uuid;
  }

  get name(): string | null {
    return this.#fields.name;
  }

  get isReady(): boolean {
    return isReady(this.state);
  }

  /** Everything that events told, by Celery's names. */
  get fields(): Readonly<TaskFields> {
    return this.#fields;
  }

  event(subject: string, event: RawEvent, nowSeconds: number): void {
    const known = STATE_OF.get(subject);
    if (known !== undefined) this.times[subject] = event.timestamp;
    const state = known ?? subject.toUpperCase();
    if (isEarlier(state, this.state)) {
      if (state === "RECEIVED") this.#take(event, TOLD_BY_RECEIVED);
      else if (state === "PENDING") this.#takeMissing(event);
    } else {
      this.state = state;
      this.timestamp = event.timestamp;
      this.#take(event, Object.keys(NOTHING_KNOWN));
    }
    // A client's clock is not in step with the workers'.
    if (subject !== "sent") this.clock = Math.max(this.clock, event.clock);
    this.heard = Math.max(this.heard, nowSeconds);
  }

  #take(event: RawEvent, names: readonly string[]): void {
    const told = names
      .filter((name) => event[name] !== undefined)
      .map((name) => [name, readField(name, event[name])]);
    this.#fields = { ...this.#fields, ...(Object.fromEntries(told) as Partial<TaskFields>) };
  }

  /** A `task-sent` that was overtaken: it alone knows the queue. */
  #takeMissing(event: RawEvent): void {
    const fields = this.#fields as unknown as Readonly<Record<string, unknown>>;
    this.#take(
      event,
      Object.keys(NOTHING_KNOWN).filter((name) => fields[name] === null),
    );
  }
}

/** Anybody can send events, and whoever reads the fields goes by their types. */
function readField(name: string, value: unknown): string | number | null {
  if (value === null) return null;
  if (NUMBERS.has(name)) return typeof value === "number" && Number.isFinite(value) ? value : null;
  return typeof value === "string" ? value : formatPython(value, AS_ARGUMENTS);
}

/** Whether a state comes before the present one. A retry ends one life and begins the next: it is never out of order. */
function isEarlier(state: TaskState, present: TaskState): boolean {
  if (state === "RETRY" || present === "RETRY") return false;
  return precedence(state) > precedence(present);
}

function precedence(state: TaskState): number {
  const at = PRECEDENCE.indexOf(state);
  return at < 0 ? PRECEDENCE.indexOf(null) : at;
}
