export { type AskOptions, askWorkers } from "./client.ts";
export {
  type ControlCommand,
  type Mailbox,
  type MailboxOptions,
  openMailbox,
  standardCommands,
} from "./mailbox.ts";
export {
  ControlError,
  type QueueInfo,
  type ScheduledInfo,
  type TaskInfo,
  type TerminateOptions,
  type WorkerPanel,
  type WorkerStats,
} from "./panel.ts";
