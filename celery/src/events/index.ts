export type { CeleryEvent, EventFields, EventOf, EventType, RawEvent } from "../protocol/event.ts";
export { EventDispatcher, type EventDispatcherOptions } from "./dispatcher.ts";
export { Heartbeat, type HeartbeatOptions, startHeartbeat } from "./heartbeat.ts";
export { type OpenEventDispatcherOptions, openEventDispatcher } from "./open-dispatcher.ts";
export {
  type EventReceiver,
  type EventReceiverEvents,
  LISTENER_RETRY_MS,
  openEventReceiver,
} from "./receiver.ts";
export { State, type StateOptions, type TrackedTask, type TrackedWorker } from "./state.ts";
export { taskReceivedFields, taskSentFields } from "./task-fields.ts";
