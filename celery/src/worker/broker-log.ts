import { type Clock, systemClock } from "../runtime/clock.ts";
import type { Consumer } from "../transport/transport.ts";
import { celeryTry } from "./outage.ts";
import { type LogLevel, MAIN_PROCESS, type WorkerLog } from "./worker-log.ts";

export interface BrokerLogOptions {
  /** With a masked password. */
  readonly brokerUrl: string;
  readonly log: WorkerLog;
  /** `broker_connection_max_retries`. Default Celery's. */
  readonly maxRetries?: number | null;
  readonly clock?: Pick<Clock, "monotonicMs">;
}

/** Tells about the connection in Celery's words. */
export interface BrokerLog {
  readonly connected: () => void;
  readonly lost: (error: Error) => void;
  readonly retrying: (delaySeconds: number, attempt: number, error: Error) => void;
  readonly follow: (events: Consumer["events"]) => void;
}

/** @see celery 5.7.0 worker/consumer/consumer.py, `CONNECTION_RETRY_STEP` */
export function makeBrokerLog(options: BrokerLogOptions): BrokerLog {
  const { brokerUrl, log, maxRetries = 100, clock = systemClock } = options;
  let since: number | undefined;
  const say = (level: LogLevel, text: string): void => log.record({ level, processName: MAIN_PROCESS, text });
  const self: BrokerLog = {
    connected: () => {
      since = undefined;
      say("INFO", `Connected to ${brokerUrl}`);
    },
    lost: (error) =>
      say(
        "WARNING",
        `consumer: Connection to broker lost. Trying to re-establish the connection... (${connectionFault(error, brokerUrl)})`,
      ),
    retrying: (delaySeconds, _attempt, error) => {
      since ??= clock.monotonicMs();
      // We try more often than Celery does: the number says how far its count would have come.
      const number = celeryTry((clock.monotonicMs() - since) / 1000);
      say(
        "ERROR",
        `consumer: Cannot connect to ${brokerUrl}: ${connectionFault(error, brokerUrl)}.\n` +
          `Trying again in ${delaySeconds.toFixed(2)} seconds... (${number}/${maxRetries ?? "None"})\n`,
      );
    },
    follow: (events) => {
      events.on("disconnected", self.lost);
      events.on("reconnecting", self.retrying);
      events.on("connected", self.connected);
    },
  };
  return self;
}

/** Python's wording of the fault everybody meets, so that the line can be looked up. What the server said keeps our hint. */
function connectionFault(error: Error, brokerUrl: string): string {
  const root = error.cause instanceof Error ? error.cause : error;
  if (root.name === "ReplyError") return error.message.replace(`(${brokerUrl}: `, "(").replace(/\.$/, "");
  const { code, address, port } = root as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code !== "ECONNREFUSED") return root.message || String(code);
  return `Error 111 connecting to ${address}:${port}. Connection refused.`;
}
