import { constants } from "node:os";
import type { ReceivedInfo, Signals } from "../app/signals.ts";
import type { TaskMessage } from "../protocol/message.ts";

/** Told to whoever listens to the app's signals; without listeners nothing is made. */
export function tellReceived({ taskReceived }: Signals, message: TaskMessage): void {
  if (taskReceived.isHeard) void taskReceived.send({ request: receivedInfo(message) });
}

export function tellRevoked(
  { taskRevoked }: Signals,
  message: TaskMessage,
  how: { readonly expired: boolean; readonly signal: NodeJS.Signals | null },
): void {
  if (!taskRevoked.isHeard) return;
  const { expired, signal } = how;
  const signum = signal && constants.signals[signal];
  void taskRevoked.send({ request: receivedInfo(message), terminated: signal !== null, signum, expired });
}

export function tellUnknown(
  { taskUnknown }: Signals,
  { headers }: TaskMessage,
  raw: string,
  exc: Error,
): void {
  if (taskUnknown.isHeard) void taskUnknown.send({ name: headers.task, id: headers.id, message: raw, exc });
}

export function tellRejected({ taskRejected }: Signals, raw: string, reason: string): void {
  if (taskRejected.isHeard) void taskRejected.send({ message: raw, exc: new Error(reason) });
}

function receivedInfo({ headers, args, kwargs }: TaskMessage): ReceivedInfo {
  return { id: headers.id, name: headers.task, args, kwargs };
}
