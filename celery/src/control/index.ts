export { type AskOptions, askWorkers } from "./client.ts";
export {
  type ControlCommand,
  type Mailbox,
  type MailboxOptions,
  openMailbox,
  standardCommands,
} from "./mailbox.ts";
