/** How an argument is written on a command line. */
export type ArgumentKind = "text" | "whole" | "number" | "flag";

/** One remote control command: how `celery inspect` and `celery control` offer it, and what it takes. */
export interface CommandInfo {
  readonly name: string;
  /** `inspect` looks, `control` changes. */
  readonly kind: "inspect" | "control";
  /** In the order of a command line. */
  readonly args?: readonly (readonly [name: string, kind: ArgumentKind])[];
  /** Name of the argument that takes the rest of the command line, as a list. */
  readonly variadic?: string;
  /** For `--list`, after the name. */
  readonly signature?: string;
  readonly help: string;
  /** An older name that nodes still answer to. */
  readonly alias?: string;
  /** Not for people: nodes among themselves. */
  readonly hidden?: true;
  /** Needed on the command line; the rest may be left out. */
  readonly required?: number;
}

/**
 * Every command of Celery's remote control, by name.
 *
 * @see celery 5.7.0 worker/control.py, the decorators
 */
export const REMOTE_COMMANDS: readonly CommandInfo[] = [
  { name: "active", kind: "inspect", alias: "dump_active", help: "List of tasks currently being executed." },
  {
    name: "active_queues",
    kind: "inspect",
    help: "List the task queues a worker is currently consuming from.",
  },
  { name: "clock", kind: "inspect", help: "Get current logical clock value." },
  {
    name: "conf",
    kind: "inspect",
    alias: "dump_conf",
    args: [["with_defaults", "flag"]],
    signature: "[include_defaults=False]",
    help: "List configuration.",
  },
  { name: "hello", kind: "inspect", hidden: true, help: "Request mingle sync-data." },
  {
    name: "memdump",
    kind: "inspect",
    args: [["samples", "whole"]],
    signature: "[n_samples=10]",
    help: "Dump statistics of previous memsample requests.",
  },
  { name: "memsample", kind: "inspect", help: "Sample current RSS memory usage." },
  {
    name: "objgraph",
    kind: "inspect",
    args: [
      ["type", "text"],
      ["num", "whole"],
      ["max_depth", "whole"],
    ],
    signature: "[object_type=Request] [num=200 [max_depth=10]]",
    help: "Create graph of uncollected objects (memory-leak debugging).",
  },
  { name: "ping", kind: "inspect", help: "Ping worker(s)." },
  {
    name: "query_task",
    kind: "inspect",
    variadic: "ids",
    signature: "[id1 [id2 [... [idN]]]]",
    help: "Query for task information by id.",
  },
  {
    name: "registered",
    kind: "inspect",
    alias: "dump_tasks",
    variadic: "taskinfoitems",
    signature: "[attr1 [attr2 [... [attrN]]]]",
    help: "List of registered tasks.",
  },
  { name: "report", kind: "inspect", help: "Information about Celery installation for bug reports." },
  {
    name: "reserved",
    kind: "inspect",
    alias: "dump_reserved",
    help: "List of currently reserved tasks, not including scheduled/active.",
  },
  { name: "revoked", kind: "inspect", alias: "dump_revoked", help: "List of revoked task-ids." },
  {
    name: "scheduled",
    kind: "inspect",
    alias: "dump_schedule",
    help: "List of currently scheduled ETA/countdown tasks.",
  },
  { name: "stats", kind: "inspect", help: "Request worker statistics/information." },
  {
    name: "add_consumer",
    kind: "control",
    required: 1,
    args: [
      ["queue", "text"],
      ["exchange", "text"],
      ["exchange_type", "text"],
      ["routing_key", "text"],
    ],
    signature: "<queue> [exchange [type [routing_key]]]",
    help: "Tell worker(s) to consume from task queue by name.",
  },
  {
    name: "autoscale",
    kind: "control",
    args: [
      ["max", "whole"],
      ["min", "whole"],
    ],
    signature: "[max [min]]",
    help: "Modify autoscale settings.",
  },
  {
    name: "cancel_consumer",
    kind: "control",
    required: 1,
    args: [["queue", "text"]],
    signature: "<queue>",
    help: "Tell worker(s) to stop consuming from task queue by name.",
  },
  { name: "disable_events", kind: "control", help: "Tell worker(s) to stop sending task-related events." },
  { name: "election", kind: "control", help: "Hold election." },
  { name: "enable_events", kind: "control", help: "Tell worker(s) to send task-related events." },
  { name: "heartbeat", kind: "control", help: "Tell worker(s) to send event heartbeat immediately." },
  {
    name: "pool_grow",
    kind: "control",
    args: [["n", "whole"]],
    signature: "[N=1]",
    help: "Grow pool by n processes/threads.",
  },
  { name: "pool_restart", kind: "control", help: "Restart execution pool." },
  {
    name: "pool_shrink",
    kind: "control",
    args: [["n", "whole"]],
    signature: "[N=1]",
    help: "Shrink pool by n processes/threads.",
  },
  {
    name: "rate_limit",
    kind: "control",
    required: 2,
    args: [
      ["task_name", "text"],
      ["rate_limit", "text"],
    ],
    signature: "<task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>",
    help: "Tell worker(s) to modify the rate limit for a task by type.",
  },
  {
    name: "revoke",
    kind: "control",
    variadic: "task_id",
    signature: "[id1 [id2 [... [idN]]]]",
    help: "Revoke task by task id (or list of ids).",
  },
  {
    name: "revoke_by_stamped_headers",
    kind: "control",
    variadic: "headers",
    signature: "[key1=value1 [key2=value2 [... [keyN=valueN]]]]",
    help: "Revoke task by header (or list of headers).",
  },
  { name: "shutdown", kind: "control", help: "Shutdown worker(s)." },
  {
    name: "terminate",
    kind: "control",
    required: 1,
    args: [["signal", "text"]],
    variadic: "task_id",
    signature: "<signal> [id1 [id2 [... [idN]]]]",
    help: "Terminate task by task id (or list of ids).",
  },
  {
    name: "time_limit",
    kind: "control",
    required: 2,
    args: [
      ["task_name", "text"],
      ["soft", "number"],
      ["hard", "number"],
    ],
    signature: "<task_name> <soft_secs> [hard_secs]",
    help: "Tell worker(s) to modify the time limit for task by type.",
  },
];
