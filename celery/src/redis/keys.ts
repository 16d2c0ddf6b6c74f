/**
 * Every key name in one place. Those without `ts1:` are kombu's and Celery's, shared with Python.
 * @see kombu 5.7.0 transport/redis.py, celery 5.7.0 backends/base.py
 */

/** kombu's separator, between a queue's name and its priority, and between the parts of a binding. */
export const SEPARATOR = "\x06\x16";

/** The priority lists a queue has; a priority falls into the largest step that it reaches. 0 is read first. */
export const PRIORITY_STEPS: readonly number[] = [0, 3, 6, 9];

/** hash: claim id or kombu's delivery tag → `[message, exchange, routing key]`. */
export const UNACKED = "unacked";
/** zset: the same ids, by the time (epoch seconds) of claiming. */
export const UNACKED_INDEX = "unacked_index";

/** zset: ids of parked messages by the time (epoch seconds) they are due. The messages are in `unacked`. */
export const ETA_INDEX = "ts1:eta";
/** set: ids of workers that may hold claims. */
export const WORKERS = "ts1:workers";
/** hash: task id → how often it came back because its child died. */
export const DELIVERIES = "ts1:deliveries";

/** string with a time to live: exists as long as the worker shows signs of life. */
export function heartbeatKey(workerId: string): string {
  return `ts1:w:${workerId}`;
}

/** list: messages that could not be run, newest first, one JSON object `{reason, time, queue, raw}` each. */
export function deadLetterKey(queue: string): string {
  return `ts1:dead:${queue}`;
}

/**
 * string with a time to live: number and outcome of the last batch of a session's lane. What makes it safe to say a batch
 * again when its answer was lost. A session has one batch under way per lane.
 */
export function laneKey(session: string, lane: "claim" | "settle" | "publish"): string {
  return `ts1:s:${session}:${lane}`;
}

export function claimId(workerId: string, uuid: string): string {
  return `ts1|${workerId}|${uuid}`;
}

/** Claims of one worker begin with this. */
export function claimPrefix(workerId: string): string {
  return `ts1|${workerId}|`;
}

export const PARKED_PREFIX = "ts1|eta|";

/** The list of one priority of a queue; the most urgent has the queue's own name. */
export function queueKey(queue: string, step: number): string {
  return step === 0 ? queue : `${queue}${SEPARATOR}${step}`;
}

/** All lists of a queue, most urgent first. */
export function queueKeys(queue: string): readonly string[] {
  return PRIORITY_STEPS.map((step) => queueKey(queue, step));
}

/** The step that a priority falls into; out of range is clamped to 0..9. */
export function priorityStep(priority: number): number {
  const clamped = Math.min(9, Math.max(0, priority));
  return PRIORITY_STEPS.findLast((step) => step <= clamped) ?? 0;
}

/** set: who is bound to an exchange. A queue of its own name is bound to the exchange of its own name. */
export function bindingKey(exchange: string): string {
  return `_kombu.binding.${exchange}`;
}

/** @param pattern of a topic: the regular expression that stands for the key. */
export function bindingMember(routingKey: string, queue: string, pattern = ""): string {
  return [routingKey, pattern, queue].join(SEPARATOR);
}

/** set: those bindings of an exchange whose queues do not expire. kombu keeps the exchange as long as there are any. */
export function permanentBindingKey(exchange: string): string {
  return `_kombu.binding_permanent.${exchange}`;
}

/** string, and the channel of the same name. */
export function resultKey(taskId: string): string {
  return `celery-task-meta-${taskId}`;
}

/** string with a time to live: the name of the Beat that sends; every other one waits. */
export const BEAT_LOCK = "ts1:beat:lock";
/** hash: entry of Beat's schedule → when it was last sent, epoch milliseconds. */
export const BEAT_SENT = "ts1:beat:sent";

/** string: a saved group of results, as JSON; also what the keys of a chord begin with. */
export function groupKey(groupId: string): string {
  return `celery-taskset-meta-${groupId}`;
}

/** Under this id the message lies in `unacked` that ends a chord if the worker that completed it does not. */
export function chordRescueId(groupId: string): string {
  return `${PARKED_PREFIX}chord|${groupId}`;
}

/** string: which worker gives back what this dead one held. */
export function reclaimingKey(workerId: string): string {
  return `ts1:reclaiming:${workerId}`;
}

/** list: messages of a queue's list that `celery migrate` has taken out and not yet delivered. */
export function migratingKey(list: string): string {
  return `ts1:migrating:${list}`;
}
