export type { ControlReply } from "../protocol/control.ts";
export {
  type AskOptions,
  askWorkers,
  type ControlTeller,
  openControlTeller,
  type TellOptions,
} from "./client.ts";
export { type ArgumentKind, type CommandInfo, REMOTE_COMMANDS } from "./command-table.ts";
export { type WorkerCommandDeps, workerCommands } from "./commands.ts";
export {
  type ControlCommand,
  type Mailbox,
  type MailboxOptions,
  NO_REPLY,
  openMailbox,
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
