/**
 * The public door: what a program that sends tasks, and a module that defines them, needs.
 * Workers, Beat and the command line are started with `celery`, not imported.
 */
export { Celery, type CeleryOptions } from "./app/celery.ts";
export type { Conf } from "./app/conf.ts";
export type { BeatEntryInput, ConfInput, ConfValues } from "./app/conf-values.ts";
export type { PeriodicOptions, PeriodicTarget } from "./app/periodic.ts";
export type { Route, RouteFunction, RouteTable, TaskRoutes } from "./app/routes.ts";
export type {
  AnyTask,
  ApplyOptions,
  RequestInfo,
  RetryOptions,
  Task,
  TaskContext,
  TaskOptions,
} from "./app/types.ts";
export { AsyncResult, type GetOptions } from "./backend/async-result.ts";
export { Crontab, type CrontabFields, crontab } from "./beat/crontab.ts";
export { BeatLazyFunc } from "./beat/lazy.ts";
export { Interval, schedule, solar } from "./beat/schedule.ts";
export { ScheduleError } from "./beat/schedule-error.ts";
export {
  CeleryError,
  EncodeError,
  GetInsideTask,
  ImproperlyConfigured,
  InvalidArgument,
  NoResultBackend,
  OperationalError,
  TaskAlreadyRegistered,
  TaskError,
  TaskNotRegistered,
  TaskRevokedError,
  TimeoutError,
} from "./protocol/errors.ts";
export type { ResultMeta } from "./protocol/result-meta.ts";
export type { TaskState } from "./protocol/states.ts";
export {
  Ignore,
  MaxRetriesExceededError,
  Reject,
  Retry,
  SoftTimeLimitExceeded,
} from "./protocol/task-signals.ts";
