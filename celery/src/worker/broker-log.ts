import type { Consumer } from "../transport/transport.ts";
import { type LogLevel, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface BrokerLogOptions {
  /** With a masked password. */
  readonly brokerUrl: string;
  readonly log: WorkerLog;
}

/** Tells about the connection in Celery's words. */
export interface BrokerLog {
  readonly connected: () => void;
  readonly lost: (error: Error) => void;
  readonly retrying: (delaySeconds: number, attempt: number, error: Error) => void;
  readonly follow: (events: Consumer["events"]) => void;
}

export function makeBrokerLog({ brokerUrl, log }: BrokerLogOptions): BrokerLog {
  const say = (level: LogLevel, text: string): void => log.record({ level, processName: MAIN_PROCESS, text });
  const self: BrokerLog = {
    connected: () => say("INFO", `Connected to ${brokerUrl}`),
    lost: (error) =>
      say(
        "WARNING",
        `consumer: Connection to broker lost. Trying to re-establish the connection... (${connectionFault(error)})`,
      ),
    retrying: (delaySeconds, attempt, error) =>
      say(
        "ERROR",
        `consumer: Cannot connect to ${brokerUrl}: ${connectionFault(error)}.\n` +
          `Trying again in ${delaySeconds.toFixed(2)} seconds... (try ${attempt})\n`,
      ),
    follow: (events) => {
      events.on("disconnected", self.lost);
      events.on("reconnecting", self.retrying);
      events.on("connected", self.connected);
    },
  };
  return self;
}

/** Python's wording of the fault everybody meets, so that the line can be looked up. */
function connectionFault(error: Error): string {
  const root = error.cause instanceof Error ? error.cause : error;
  const { code, address, port } = root as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code !== "ECONNREFUSED") return root.message || String(code);
  return `Error 111 connecting to ${address}:${port}. Connection refused.`;
}
