import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Celery } from "celery";

/** Tasks that write down when they begin and end, for the tests that kill their worker. */
const redis = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0";
export const app = new Celery("fault-app", { broker: redis, backend: redis });

app.conf.update({
  broker_transport_options: {
    heartbeat_ttl: Number(process.env["HEARTBEAT_TTL"] ?? 1),
    max_message_bytes: Number(process.env["MAX_MESSAGE_BYTES"] ?? 1024 * 1024),
  },
});

async function work(ledger: string, n: number, ms: number): Promise<number> {
  appendFileSync(ledger, `${n} begun ${process.pid}\n`);
  await sleep(ms);
  appendFileSync(ledger, `${n} ended ${process.pid}\n`);
  return n;
}

/** Acked when it has ended; a lost process means another try. */
export const late = app.task("fault.late", { acksLate: true, rejectOnWorkerLost: true }, work);

/** Acked when it begins: lost with its process. */
export const early = app.task("fault.early", work);

function workAtOnce(ledger: string, n: number, _ms: number): number {
  appendFileSync(ledger, `${n} begun ${process.pid}\n`);
  appendFileSync(ledger, `${n} ended ${process.pid}\n`);
  return n;
}

/** So short that several wait in one process. */
export const shortEarly = app.task("fault.shortEarly", workAtOnce);
export const shortLate = app.task("fault.shortLate", { acksLate: true }, workAtOnce);

/** Never yields: a process that runs it hears and sees nothing. */
export const block = app.task("fault.block", (ledger: string, n: number, _ms: number) => {
  appendFileSync(ledger, `${n} begun ${process.pid}\n`);
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
});

export const add = app.task(
  "fault.add",
  (x: number | string, y: number | string) => (x as never) + (y as never),
);
