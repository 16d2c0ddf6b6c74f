import type { Facts, TaskFacts } from "../checks/facts.ts";
import type { PtyRung, RedisView } from "../protocol/index.ts";
import type { Notice } from "./notice-board.ts";
import { findCodePlace, findTakenPort } from "./pane-failure.ts";

export function redisNotice(redis: RedisView): Notice | undefined {
  return redis.error === null ? undefined : { level: "error", text: redis.error };
}

export function emulatorNotice(redis: RedisView): Notice | undefined {
  if (redis.kind !== "emulator") return undefined;
  return {
    level: "info",
    text:
      "No redis-server was found, so the broker is an emulated Redis (js-redis-server). It does all that the lessons " +
      "need. For the real one install redis-server (apt install redis-server, brew install redis) and start the playground again.",
  };
}

export function panesNotice(rung: PtyRung): Notice | undefined {
  if (rung !== "pipes") return undefined;
  return {
    level: "info",
    text:
      "This system gives no terminals, so you cannot type in the panes. Every Run button works. " +
      "Installing python3 makes the panes whole.",
  };
}

/** How a command of a pane ended, and its last output. */
export interface Ending {
  readonly command: string;
  readonly exit: number;
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Names of the lesson's files. */
  readonly files: ReadonlySet<string>;
}

/** Ctrl-C, SIGTERM and SIGKILL are the learner's own doing, or a lesson's. */
const WANTED_EXITS: ReadonlySet<number> = new Set([0, 130, 137, 143]);

/** A worker that ended by itself: mostly a mistake in the file that it loads. */
export function workerNotice(ending: Ending): Notice | undefined {
  if (WANTED_EXITS.has(ending.exit) || !/\bcelery\b.*\b(?:worker|beat)\b/.test(ending.command))
    return undefined;
  const place = findCodePlace(ending.lines, ending.files);
  if (place === undefined) {
    return {
      level: "error",
      text: `The worker ended with exit code ${ending.exit}. Its last lines in the worker pane say why; then run its command again.`,
    };
  }
  return {
    level: "error",
    text:
      `The worker could not load ${place.file}, line ${place.line}: ${asSentence(place.problem)} ` +
      `Correct that line in the editor, or press Reset for ${place.file}, and start the worker again.`,
  };
}

/** A program in the producer pane that failed in a way whose remedy is known. */
export function producerNotice(ending: Ending): Notice | undefined {
  if (WANTED_EXITS.has(ending.exit)) return undefined;
  const port = findTakenPort(ending.lines);
  if (port !== undefined) {
    return {
      level: "error",
      text:
        `Port ${port} is taken by another program, so this one could not start. If it is this lesson's server from before, ` +
        `stop it with Ctrl-C where it runs; otherwise stop what uses port ${port}, and run the step again.`,
    };
  }
  const place = findCodePlace(ending.lines, ending.files);
  if (place === undefined) return undefined;
  return {
    level: "error",
    text:
      `${ending.command} stopped at ${place.file}, line ${place.line}: ${asSentence(place.problem)} ` +
      `Correct that line in the editor, or press Reset for ${place.file}, and run it again.`,
  };
}

/** Celery's own name for a task that no worker has. */
const UNKNOWN = "NotRegistered";

export function unknownTaskNotice(facts: Facts): Notice | undefined {
  const task = facts.tasks.findLast((each) => each.error?.type === UNKNOWN);
  if (task === undefined || wasKnownSince(facts, task)) return undefined;
  return {
    level: "warning",
    text:
      `A message asked for a task named ${nameOf(task)}, but no worker knows one. It was put aside, with its reason, into the ` +
      "dead letters; the worker goes on. Compare the name with those that the worker lists under [tasks], then send it again.",
  };
}

function wasKnownSince(facts: Facts, unknown: TaskFacts): boolean {
  const later = facts.tasks.slice(facts.tasks.indexOf(unknown) + 1);
  return later.some((task) => task.name === unknown.name && task.state === "SUCCESS");
}

/** The newest task that failed by its own error, until a later one of its name succeeds. */
export function failedTaskNotice(facts: Facts): Notice | undefined {
  const task = facts.tasks.findLast((each) => each.state === "FAILURE" && each.error?.type !== UNKNOWN);
  if (task?.error === undefined || task.error === null || wasKnownSince(facts, task)) return undefined;
  return {
    level: "info",
    text:
      `${nameOf(task)} failed: ${task.error.type}: ${asSentence(task.error.message)} The worker caught it and goes on; ` +
      "the traceback is in the worker pane and in the task's result.",
  };
}

function nameOf(task: TaskFacts): string {
  return task.name ?? "a task";
}

/** The first line, not too long, with an end. */
function asSentence(message: string): string {
  const line = message.split("\n")[0]?.trim() ?? "";
  const text = line.length > 120 ? `${line.slice(0, 119)}…` : line;
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
