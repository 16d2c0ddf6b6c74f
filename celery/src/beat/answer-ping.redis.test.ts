import { expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../test/support/redis-url.ts";
import { askWorkers } from "../control/index.ts";
import type { Log } from "../runtime/log.ts";
import { answerPing } from "./answer-ping.ts";

const url = `${redisUrl()}/87`;
const nodeName = "celerybeat@test";

const ask = (command: string, timeoutSeconds: number): Promise<ReadonlyMap<string, unknown>> =>
  askWorkers(url, command, { timeoutSeconds, destination: [nodeName] });

test("given Beat that ticks, when it is asked, then it answers a ping and nothing else; given one that is stuck, then it says nothing and logs why", async () => {
  const lines: string[] = [];
  const write = (_fields: object, line: string): void => void lines.push(line);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const stopping = new AbortController();
  let idleMs = 500;
  const options = { brokerUrl: url, nodeName, idleMs: () => idleMs, maxIdleSeconds: 60, log };
  const answering = answerPing(options, stopping.signal);
  onTestFinished(async () => {
    stopping.abort();
    await answering;
  });
  await expect.poll(() => lines).toContain("beat pidbox: Connected.");

  expect(await ask("ping", 30)).toEqual(new Map([[nodeName, { ok: "pong" }]]));
  expect(await ask("stats", 1)).toEqual(new Map());
  idleMs = 61_000;
  expect(await ask("ping", 1)).toEqual(new Map());
  expect(lines.at(-1)).toBe(
    "beat pidbox: not answering ping, the scheduler has not ticked for 61.0s (over the 60s limit).",
  );
});
