import { plainOf } from "../../protocol/raw-json.ts";
import { type ApplyOptions, COMPRESSIONS, type SendOptions } from "../call-options.ts";
import type { SigOptions } from "./sig.ts";

/** Celery's name of each option that a signature may carry, and ours. Stamps and unknown options are neither. */
const NAMES = {
  task_id: "taskId",
  root_id: "rootId",
  parent_id: "parentId",
  reply_to: "replyTo",
  group_id: "groupId",
  group_index: "groupIndex",
  chord: "chord",
  chain: "chain",
  link: "link",
  link_error: "linkError",
  countdown: "countdown",
  eta: "eta",
  expires: "expires",
  queue: "queue",
  exchange: "exchange",
  exchange_type: "exchangeType",
  routing_key: "routingKey",
  priority: "priority",
  compression: "compression",
  delivery_mode: "deliveryMode",
  retry: "retry",
  retry_policy: "retryPolicy",
  time_limit: "timeLimit",
  soft_time_limit: "softTimeLimit",
  shadow: "shadow",
  headers: "headers",
  ignore_result: "ignoreResult",
  retries: "retries",
  replaced_task_nesting: "replacedTaskNesting",
  stamped_headers: "stampedHeaders",
  add_to_parent: "addToParent",
} as const satisfies Readonly<Record<string, keyof ApplyOptions>>;

const POLICY = {
  max_retries: "maxRetries",
  interval_start: "intervalStart",
  interval_step: "intervalStep",
  interval_max: "intervalMax",
} as const;

/** Bodies are JSON whatever the signature says, and a route's name is for Celery's own router only. */
const DROPPED: ReadonlySet<string> = new Set(["serializer", "route_name"]);

/** Options that travel in the message as they are; all others are read here. */
const SENT_ON: ReadonlySet<string> = new Set(["chord", "chain", "link", "link_error", "headers"]);

/** A signature's options as those of a call. What nobody knows becomes a property of the message, as in Celery. */
export function toApplyOptions(options: SigOptions, kwargs: Readonly<Record<string, unknown>>): ApplyOptions {
  const stamped = new Set(options.stamped_headers ?? []);
  const applied: Record<string, unknown> = Object.keys(kwargs).length > 0 ? { kwargs } : {};
  const stamps: Record<string, unknown> = {};
  const properties: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === null || value === undefined || DROPPED.has(key)) continue;
    if (stamped.has(key)) stamps[key] = value;
    else if (isKnown(key)) applied[NAMES[key]] = SENT_ON.has(key) ? value : applicable(key, plainOf(value));
    else properties[key] = value;
  }
  if (stamped.size > 0) applied["stamps"] = inOrder(options.stamped_headers ?? [], stamps);
  if (Object.keys(properties).length > 0) applied["properties"] = properties;
  return applied;
}

/** What a Python client may say and a call of ours may not: kombu clamps priorities, and a body may always go uncompressed. */
function applicable(key: string, value: unknown): unknown {
  if (key === "retry_policy") return rename(value as object, POLICY);
  if (key === "priority" && typeof value === "number") return Math.min(9, Math.max(0, Math.trunc(value)));
  if (key === "compression") return COMPRESSIONS.find((name) => name === value) ?? null;
  return value;
}

/** Options of a call under Celery's names, for a signature. */
export function toSigOptions(options: Omit<ApplyOptions, "kwargs">): SigOptions {
  const { stamps, properties, stampedHeaders, ...rest } = options;
  const wire: SigOptions = { ...properties };
  for (const [key, name] of Object.entries(NAMES)) {
    const value = (rest as Record<string, unknown>)[name];
    if (value !== undefined) wire[key] = wireValue(key, value);
  }
  if (stampedHeaders) Object.assign(wire, { stamped_headers: [...stampedHeaders], ...stamps });
  return wire;
}

function wireValue(key: string, value: unknown): unknown {
  if (key === "retry_policy") return rename(value as object, flip(POLICY));
  if (key === "queue" || key === "exchange") return nameOf(value as SendOptions["queue"]);
  return value;
}

function nameOf(value: string | { readonly name: string } | undefined): string | undefined {
  return typeof value === "object" ? value.name : value;
}

function isKnown(key: string): key is keyof typeof NAMES {
  return Object.hasOwn(NAMES, key);
}

function rename(value: object, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [names[key] ?? key, inner]));
}

function flip(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [name, key]));
}

function inOrder(
  names: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]]));
}
