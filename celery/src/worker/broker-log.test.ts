import { expect, test } from "vitest";
import { OperationalError } from "../protocol/errors.ts";
import { makeBrokerLog } from "./broker-log.ts";
import type { LogRecord } from "./worker-log.ts";

const brokerUrl = "redis://:**@127.0.0.1:6379/0";

function retrying(error: Error): string {
  const records: LogRecord[] = [];
  const ignore = (): void => undefined;
  const log = {
    record: (record: LogRecord) => void records.push(record),
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: ignore,
  };
  const clock = { monotonicMs: () => 0 };
  makeBrokerLog({ brokerUrl, log, clock }).retrying(2, 1, error);
  return records.map(({ text }) => text).join("");
}

test("given a server that refuses, when it is tried again, then the line says what it said, and the hint, without the URL twice", () => {
  const cause = Object.assign(new Error("NOAUTH Authentication required."), { name: "ReplyError" });
  const fault = new OperationalError(`${cause.message} (${brokerUrl}: the server wants a password)`, {
    cause,
  });

  expect(retrying(fault)).toBe(
    `consumer: Cannot connect to ${brokerUrl}: NOAUTH Authentication required. (the server wants a password).\n` +
      "Trying again in 2.00 seconds... (1/100)\n",
  );
});

test("given a server that is not there, when it is tried again, then the line is Celery's", () => {
  const refused = { code: "ECONNREFUSED", address: "127.0.0.1", port: 6379 };
  const cause = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6379"), refused);

  expect(retrying(new OperationalError("Cannot connect to Redis", { cause }))).toMatch(
    /: Error 111 connecting to 127\.0\.0\.1:6379\. Connection refused\.\.\n/,
  );
});
