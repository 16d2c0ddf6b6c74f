import { taskReceivedFields } from "../events/index.ts";
import type { EventFields, EventType } from "../protocol/event.ts";
import type { TaskMessage } from "../protocol/message.ts";

/** An event, ready to be sent. */
export type TaskEvent = {
  [T in EventType]: readonly [type: T, fields: EventFields<T>];
}[EventType];

/** Where the worker's events go. Sending never throws and never waits. */
export interface EventSink {
  /** False: `task-*` events go nowhere, and need not be made. */
  readonly taskEventsEnabled?: boolean;
  send<T extends EventType>(type: T, fields: EventFields<T>): void;
  /** An event of a type that a task made up. */
  sendCustom(type: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Sends an event whose type is only known as one of all: each carries the fields of its own type. */
export function sendEvent(sink: EventSink, [type, fields]: TaskEvent): void {
  sink.send(type, fields as never);
}

export function receivedEvent({ headers }: TaskMessage): TaskEvent {
  return ["task-received", taskReceivedFields(headers)];
}
