/**
 * The public door: what a program that sends tasks, and a module that defines them, needs.
 * Workers, Beat and the command line are started with `celery`; a program of its own may also start a worker, from `celery/worker`.
 */
export type { Compression, PublishRetry, SendOptions } from "./app/call-options.ts";
export {
  type ChordHeader,
  chain,
  chord,
  group,
  type ResultOf,
  signature,
} from "./app/canvas/primitives.ts";
export { Signature, type SignatureInput, type SignatureOptions } from "./app/canvas/signature.ts";
export type { TaskCanvas } from "./app/canvas/task-canvas.ts";
export { Celery, type CeleryOptions } from "./app/celery.ts";
export type { Conf } from "./app/conf.ts";
export type {
  BeatEntryInput,
  BrokerTransportOptions,
  ConfInput,
  ConfValues,
  PublishRetryPolicy,
  ScheduleObject,
} from "./app/conf-values.ts";
export type {
  BroadcastOptions,
  ConsumerOptions,
  Control,
  ControlAnswer,
  Replies,
  RevokeOptions,
} from "./app/control.ts";
export { type EagerOptions, EagerResult } from "./app/eager.ts";
export type { Inspect, InspectOptions } from "./app/inspect.ts";
export type { PeriodicOptions, PeriodicTarget } from "./app/periodic.ts";
export { Broadcast, Exchange, Queue, type QueueOptions } from "./app/queues.ts";
export type {
  Route,
  RoutedCall,
  RouteFunction,
  RouteOptions,
  RoutePairs,
  RouteTable,
  TaskRoutes,
} from "./app/routes.ts";
export type { Signal, SignalListener, SignalName, SignalPayloads, Signals } from "./app/signals.ts";
export type { TaskHandlers } from "./app/task-handlers.ts";
export type {
  AnyTask,
  ApplyOptions,
  CeleryApp,
  ErrorClass,
  RequestInfo,
  RetryOptions,
  Task,
  TaskContext,
  TaskOptions,
} from "./app/types.ts";
export { AsyncResult, type GetOptions, type Receipt, type ResultInfo } from "./backend/async-result.ts";
export { GroupResult } from "./backend/group-result.ts";
export { Crontab, type CrontabFields, crontab } from "./beat/crontab.ts";
export { BeatLazyFunc } from "./beat/lazy.ts";
export { Interval, schedule, solar } from "./beat/schedule.ts";
export { ScheduleError } from "./beat/schedule-error.ts";
export {
  AppLoadError,
  CeleryError,
  DecodeError,
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
