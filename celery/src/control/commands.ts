import { constants } from "node:os";
import * as z from "zod";
import { lazySchema } from "../protocol/lazy-schema.ts";
import { formatPython, formatPythonString } from "../protocol/python-repr.ts";
import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { Log } from "../runtime/log.ts";
import { REMOTE_COMMANDS } from "./command-table.ts";
import {
  describeQueue,
  describeRequest,
  describeScheduled,
  describeStats,
  describeTask,
  formatPythonSet,
  type NodeFacts,
} from "./describe.ts";
import type { ControlCommand } from "./mailbox.ts";
import { NO_REPLY } from "./mailbox.ts";
import { memoryCommands } from "./memory.ts";
import { ControlError, type WorkerPanel } from "./panel.ts";
import { checkRate } from "./rate.ts";

export interface WorkerCommandDeps extends Pick<NodeFacts, "brokerUrl"> {
  /** `celery@host`: a node does not answer its own `hello`. */
  readonly nodeName: string;
  /** Shared with the node's mailbox and events. */
  readonly lamport: LamportClock;
  /** Gets Celery's own lines about what remote control did, e.g. `Tasks flagged as revoked: …`. */
  readonly log: Log;
  /** Seconds, default 4. */
  readonly connectTimeoutSeconds?: number;
  readonly transportOptions?: Readonly<Record<string, unknown>>;
}

type Commands = Readonly<Record<string, ControlCommand>>;
interface Answer {
  readonly ok?: string;
  readonly error?: string;
}

/** Shown of a task unless others are asked for. */
const DEFAULT_TASK_ITEMS: readonly string[] = ["exchange", "routing_key", "rate_limit"];

/**
 * Every command that a worker answers, as Celery answers it: the same keys, the same texts. It also writes the log lines that Celery
 * writes in its commands; what a `WorkerPanel` does is silent but for what it does later.
 *
 * @see celery 5.7.0 worker/control.py
 */
export function workerCommands(panel: WorkerPanel, deps: WorkerCommandDeps): Commands {
  const commands: Commands = {
    ...inspectCommands(panel, deps),
    ...memoryCommands(),
    ...eventCommands(panel, deps),
    ...taskCommands(panel, deps),
    ...revokeCommands(panel, deps),
    ...poolCommands(panel),
    ...queueCommands(panel),
    shutdown: () => {
      deps.log.warn({}, "Got shutdown from remote");
      panel.shutdown();
      return NO_REPLY;
    },
  };
  return { ...commands, ...aliasesOf(commands) };
}

/** Names that older clients use. */
function aliasesOf(commands: Commands): Commands {
  return Object.fromEntries(
    REMOTE_COMMANDS.flatMap(({ name, alias }) => {
      const command = commands[name];
      return alias !== undefined && command ? [[alias, command]] : [];
    }),
  );
}

const ids = lazySchema(() =>
  z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .transform((given) => [...new Set(typeof given === "string" ? [given] : (given ?? []))]),
);
const idsShape = lazySchema(() => z.object({ ids: ids() }));

function inspectCommands(panel: WorkerPanel, deps: WorkerCommandDeps): Commands {
  const { lamport, brokerUrl, connectTimeoutSeconds = 4, transportOptions = {} } = deps;
  return {
    ping: () => ({ ok: "pong" }),
    clock: () => ({ clock: lamport.value }),
    hello: (args) => hello(args, panel, deps),
    report: () => ({ ok: panel.report() }),
    conf: (args) => panel.conf(Boolean(args["with_defaults"])),
    active: (args) => panel.active().map((task) => describeRequest(task, Boolean(args["safe"]))),
    reserved: () => panel.reserved().map((task) => describeRequest(task)),
    scheduled: () => panel.scheduled().map(describeScheduled),
    revoked: () => panel.revoked(),
    query_task: (args) => queryTask(panel, idsShape().parse(args).ids),
    registered: (args) => registered(args, panel),
    stats: () =>
      describeStats(panel.stats(), {
        brokerUrl,
        clock: lamport.value,
        connectTimeoutSeconds,
        transportOptions,
      }),
    active_queues: () => panel.activeQueues().map(describeQueue),
  };
}

/** Celery 5.7 tells its neighbours a list of ids, older ones an object with the ids as keys. */
const helloShape = lazySchema(() =>
  z.object({
    from_node: z.string(),
    revoked: z
      .union([z.array(z.string()), z.record(z.string(), z.unknown()).transform((byId) => Object.keys(byId))])
      .nullish(),
  }),
);

function hello(args: unknown, panel: WorkerPanel, { nodeName, lamport, log }: WorkerCommandDeps): unknown {
  const { from_node: from, revoked } = helloShape().parse(args);
  if (from === nodeName) return null;
  log.info({}, `sync with ${from}`);
  if (revoked && revoked.length > 0) panel.adoptRevoked(revoked);
  return { revoked: panel.revoked(), clock: lamport.forward() };
}

function queryTask(panel: WorkerPanel, wanted: readonly string[]): Readonly<Record<string, unknown>> {
  const held = [
    ...panel.active().map((task) => ["active", task] as const),
    ...panel.reserved().map((task) => ["reserved", task] as const),
    ...panel.scheduled().map(({ request }) => ["scheduled", request] as const),
  ];
  const found = held.filter(([, { id }]) => wanted.includes(id));
  return Object.fromEntries(found.map(([state, task]) => [task.id, [state, describeRequest(task)]]));
}

function registered(args: Readonly<Record<string, unknown>>, panel: WorkerPanel): readonly string[] {
  const given = z.array(z.unknown()).nullish().parse(args["taskinfoitems"]) ?? [];
  const items = given.filter((item) => typeof item === "string");
  const shown = given.length === 0 ? DEFAULT_TASK_ITEMS : items;
  return panel
    .registered()
    .filter(({ name }) => Boolean(args["builtins"]) || !name.startsWith("celery."))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((task) => describeTask(task, shown));
}

function eventCommands(panel: WorkerPanel, { log }: WorkerCommandDeps): Commands {
  return {
    enable_events: () => {
      if (!panel.enableEvents()) return ok("task events already enabled");
      log.info({}, "Events of group {task} enabled by remote.");
      return ok("task events enabled");
    },
    disable_events: () => {
      if (!panel.disableEvents()) return ok("task events already disabled");
      log.info({}, "Events of group {task} disabled by remote.");
      return ok("task events disabled");
    },
    heartbeat: () => {
      log.debug({}, "Heartbeat requested by remote.");
      panel.heartbeat();
      return null;
    },
    // For gossip between Python workers; there is nothing that an election here would decide.
    election: (args) => {
      z.object({ id: z.string(), topic: z.string() }).parse(args);
      return null;
    },
  };
}

const rateShape = lazySchema(() =>
  z.object({
    task_name: z.string(),
    rate_limit: z.union([z.string(), z.number()]).nullish(),
  }),
);
const limitsShape = lazySchema(() => {
  const seconds = z
    .number()
    .nullish()
    .transform((given) => given ?? null);
  return z.object({ task_name: z.string(), soft: seconds, hard: seconds });
});

function taskCommands(panel: WorkerPanel, { log }: WorkerCommandDeps): Commands {
  const has = (name: string): boolean => panel.registered().some((task) => task.name === name);
  return {
    rate_limit: (args) => {
      const { task_name: name, rate_limit: given } = rateShape().parse(args);
      // Python's truth: a number 0 and an empty text are off, the text "0" is a limit.
      const limit = given || null;
      const fault = checkRate(limit);
      if (fault !== undefined) return nok(`Invalid rate limit string: ${fault}`);
      if (!has(name)) {
        log.error({}, `Rate limit attempt for unknown task ${name}`);
        return nok("unknown task");
      }
      panel.setRateLimit(name, limit);
      if (limit === null) {
        log.info({}, `Rate limits disabled for tasks of type ${name}`);
        return ok("rate limit disabled successfully");
      }
      log.info({}, `New rate limit for tasks of type ${name}: ${limit}.`);
      return ok("new rate limit set successfully");
    },
    time_limit: (args) => {
      const { task_name: name, soft, hard } = limitsShape().parse(args);
      if (!has(name)) {
        log.error({}, `Change time limit attempt for unknown task ${name}`);
        return nok("unknown task");
      }
      panel.setTimeLimit(name, { soft, hard });
      const shown = `soft=${formatPython(soft)} hard=${formatPython(hard)}`;
      log.info({}, `New time limits for tasks of type ${name}: ${shown}`);
      return ok("time limits set successfully");
    },
  };
}

const signalShape = lazySchema(() => z.union([z.string(), z.number()]).nullish());
const revokeShape = lazySchema(() =>
  z.object({ task_id: ids(), terminate: z.unknown().optional(), signal: signalShape() }),
);
const stampLists = lazySchema(() =>
  z.record(
    z.string(),
    z
      .union([z.string(), z.array(z.string())])
      .transform((given) => (typeof given === "string" ? [given] : given)),
  ),
);
const headersShape = lazySchema(() =>
  z.object({
    headers: z.union([
      z.array(z.string()).transform((pairs) => Object.fromEntries(pairs.map(splitPair))),
      z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    ]),
    terminate: z.unknown().optional(),
    signal: signalShape(),
  }),
);

function revokeCommands(panel: WorkerPanel, { log }: WorkerCommandDeps): Commands {
  const revoke: ControlCommand = async (args) => {
    const { task_id: wanted, terminate, signal } = revokeShape().parse(args);
    const options = { terminate: Boolean(terminate), signal: readSignal(signal) };
    const held = options.terminate ? heldIds(panel).filter((id) => wanted.includes(id)) : [];
    const number = constants.signals[options.signal];
    for (const id of held) log.info({}, `Terminating ${id} (${number})`);
    if (!options.terminate) log.info({}, `Tasks flagged as revoked: ${wanted.join(", ")}`);
    await panel.revoke(wanted, options);
    if (!options.terminate) return ok(`tasks ${formatPythonSet(wanted)} flagged as revoked`);
    return ok(held.length === 0 ? "terminate: tasks unknown" : `terminate: ${held.join(", ")}`);
  };
  return {
    revoke,
    terminate: (args) => revoke({ ...args, terminate: true }),
    revoke_by_stamped_headers: async (args) => {
      const { headers, terminate, signal } = headersShape().parse(args);
      const options = { terminate: Boolean(terminate), signal: readSignal(signal) };
      const lists = stampLists().parse(headers);
      const hit = await panel.revokeByStampedHeaders(lists, options);
      if (!options.terminate)
        return ok(`headers ${formatPython(headers)} flagged as revoked, but not terminated`);
      if (hit.length === 0) return ok(`headers ${formatPython(headers)} were not terminated`);
      return ok(`headers ${formatStampSets(lists)} revoked`);
    },
  };
}

/** `defaultdict(<class 'set'>, {'tenant': {'acme'}})`: what Celery shows there. */
function formatStampSets(headers: Readonly<Record<string, readonly string[]>>): string {
  const entries = Object.entries(headers).map(
    ([header, values]) => `${formatPythonString(header)}: ${formatPythonSet(values)}`,
  );
  return `defaultdict(<class 'set'>, {${entries.join(", ")}})`;
}

function splitPair(pair: string): readonly [string, string] {
  const [header = "", stamp] = pair.split("=");
  if (stamp === undefined) throw new ControlError(`'${pair}' is not header=stamp, e.g. tenant=acme.`);
  return [header, stamp];
}

function heldIds(panel: WorkerPanel): readonly string[] {
  return [...panel.active(), ...panel.reserved(), ...panel.scheduled().map(({ request }) => request)].map(
    ({ id }) => id,
  );
}

/** `TERM`, `SIGTERM` or 15. @see celery 5.7.0 platforms.py, `Signals.signum` */
function readSignal(given: string | number | null | undefined): NodeJS.Signals {
  const signals = constants.signals as Readonly<Record<string, number>>;
  if (given === null || given === undefined || given === "") return "SIGTERM";
  const name =
    typeof given === "number"
      ? Object.keys(signals).find((key) => signals[key] === given)
      : given.startsWith("SIG")
        ? given
        : `SIG${given}`;
  if (name !== undefined && Object.hasOwn(signals, name)) return name as NodeJS.Signals;
  throw new ControlError(`There is no signal ${JSON.stringify(given)}. Use a name like TERM, KILL or USR1.`);
}

const countShape = lazySchema(() => z.object({ n: z.number().int().default(1) }));
const rangeShape = lazySchema(() =>
  z.object({ max: z.number().int().nullish(), min: z.number().int().nullish() }),
);

function poolCommands(panel: WorkerPanel): Commands {
  const resize =
    (name: "pool_grow" | "pool_shrink", change: (n: number) => void, done: string): ControlCommand =>
    (args) => {
      if (panel.stats().autoscaler)
        return nok(`${name} is not supported with autoscale. Adjust autoscale range instead.`);
      asValueError(() => change(countShape().parse(args).n));
      return ok(done);
    };
  return {
    pool_grow: resize("pool_grow", (n) => panel.growPool(n), "pool will grow"),
    pool_shrink: resize("pool_shrink", (n) => panel.shrinkPool(n), "pool will shrink"),
    pool_restart: () => {
      asValueError(() => panel.restartPool());
      return ok("reload started");
    },
    autoscale: (args) => {
      const { max = null, min = null } = rangeShape().parse(args);
      const range = asValueError(() => panel.autoscale(max, min));
      return ok(`autoscale now max=${range.max} min=${range.min}`);
    },
  };
}

/** Celery raises ValueErrors here, and answers with their `repr`. */
function asValueError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ControlError) || error.message.startsWith("ValueError(")) throw error;
    throw new ControlError(`ValueError(${formatPythonString(error.message)})`);
  }
}

const consumerShape = lazySchema(() => {
  const orAbsent = z
    .string()
    .nullish()
    .transform((given) => given ?? null);
  return z.object({
    queue: z.string(),
    exchange: orAbsent,
    exchange_type: orAbsent,
    routing_key: orAbsent,
  });
});

function queueCommands(panel: WorkerPanel): Commands {
  return {
    add_consumer: async (args) => {
      const {
        queue,
        exchange,
        exchange_type: exchangeType,
        routing_key: routingKey,
      } = consumerShape().parse(args);
      await panel.addConsumer({ queue, exchange, exchangeType, routingKey });
      return ok(`add consumer ${queue}`);
    },
    cancel_consumer: async (args) => {
      const { queue } = z.object({ queue: z.string() }).parse(args);
      await panel.cancelConsumer(queue);
      return ok(`no longer consuming from ${queue}`);
    },
  };
}

function ok(text: string): Answer {
  return { ok: text };
}

function nok(text: string): Answer {
  return { error: text };
}
