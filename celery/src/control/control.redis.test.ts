import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { OperationalError } from "../protocol/errors.ts";
import { openConnection } from "../redis/connection.ts";
import { systemClock } from "../runtime/clock.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";
import { askWorkers, type ControlCommand, NO_REPLY, openControlTeller, openMailbox } from "./index.ts";

const url = `${redisUrl()}/21`;

async function aNode(
  nodeName: string,
  commands: Record<string, ControlCommand> = {},
  aheadSeconds = 0,
): Promise<AsyncDisposable> {
  const lamport = new LamportClock();
  const mailbox = await openMailbox(url, {
    nodeName,
    commands: { ping: () => ({ ok: "pong" }), ...commands },
    lamport,
    log: silentLog,
    clock: { ...systemClock, nowMs: () => Date.now() + aheadSeconds * 1000 },
  });
  onTestFinished(() => mailbox[Symbol.asyncDispose]());
  return mailbox;
}

describe("asking the workers", () => {
  test("given two nodes, when both are named in a ping, then both answer and nobody waits for the timeout", async () => {
    await aNode("w1@vm");
    await aNode("w2@vm");
    const order: string[] = [];

    const answers = await askWorkers(url, "ping", {
      timeoutSeconds: 60,
      destination: ["w1@vm", "w2@vm"],
      onReply: ({ node }) => order.push(node),
    });

    expect(Object.fromEntries(answers)).toEqual({ "w1@vm": { ok: "pong" }, "w2@vm": { ok: "pong" } });
    expect(order.sort()).toEqual(["w1@vm", "w2@vm"]);
  });

  test("given two nodes, when all are asked, then nobody waits longer than for the two", async () => {
    await aNode("w1@vm");
    await aNode("w2@vm");

    expect([...(await askWorkers(url, "ping", { timeoutSeconds: 60 })).keys()].sort()).toEqual([
      "w1@vm",
      "w2@vm",
    ]);
  });

  test("given two nodes, when one is named, then only that one answers", async () => {
    await aNode("w1@vm");
    await aNode("w2@vm");

    expect([
      ...(await askWorkers(url, "ping", { timeoutSeconds: 60, destination: ["w2@vm"] })).keys(),
    ]).toEqual(["w2@vm"]);
  });

  test("given no node at all, when asked, then the answer is empty at once, not after the timeout", async () => {
    expect(await askWorkers(url, "ping", { timeoutSeconds: 60 })).toEqual(new Map());
  });

  test("given a node, when the named one does not exist, then the answer is empty after the timeout", async () => {
    await aNode("w1@vm");

    expect(await askWorkers(url, "ping", { timeoutSeconds: 0.2, destination: ["nobody@vm"] })).toEqual(
      new Map(),
    );
  });

  test("given a command that throws and one that is not known, when asked, then the answers are errors and the node lives", async () => {
    const broken = (): never => {
      throw new Error("no disk");
    };
    await aNode("w1@vm", { broken });
    const ask = async (method: string): Promise<unknown> =>
      (await askWorkers(url, method, { timeoutSeconds: 60, destination: ["w1@vm"] })).get("w1@vm");

    expect(await ask("broken")).toEqual({ error: "Error('no disk')" });
    expect(await ask("stats")).toEqual({ error: "KeyError('stats')" });
    expect(await ask("constructor")).toEqual({ error: "KeyError('constructor')" });
    expect(await ask("ping")).toEqual({ ok: "pong" });
  });
});

describe("what is carried out", () => {
  test("given a command whose time has passed, when a node hears it at last, then only a node whose clock is a little ahead obeys", async () => {
    const obeyed: string[] = [];
    const obey = (node: string): Record<string, ControlCommand> => ({ obey: () => obeyed.push(node) });
    await aNode("ahead@vm", obey("ahead"), 10);
    await aNode("next-day@vm", obey("next day"), 86_400);

    expect([...(await askWorkers(url, "obey", { timeoutSeconds: 60, limit: 1 })).keys()]).toEqual([
      "ahead@vm",
    ]);
    await askWorkers(url, "obey", { timeoutSeconds: 60, destination: ["ahead@vm"] });
    expect(obeyed).toEqual(["ahead", "ahead"]);
  });

  test("given a command that nobody is to answer, when it is asked, then it is carried out and nobody answers", async () => {
    let ended = 0;
    await aNode("w1@vm", { end: () => ((ended += 1), NO_REPLY) });

    expect(await askWorkers(url, "end", { timeoutSeconds: 0.3, destination: ["w1@vm"] })).toEqual(new Map());
    expect(ended).toBe(1);
  });

  test("given nodes by pattern, when they are told, then those whose names fit do it, and nothing is left of an answer", async () => {
    const told: string[] = [];
    for (const name of ["w1@vm", "w2@vm", "x1@vm"])
      await aNode(name, { note: ({ text }) => told.push(`${name} ${String(text)}`) });
    await using teller = openControlTeller(url);

    await teller.tell("note", { pattern: "w?@*", arguments: { text: "a" } });
    await teller.tell("note", { pattern: "(w1|x1)@", matcher: "pcre", arguments: { text: "b" } });

    await expect.poll(() => told.toSorted()).toEqual(["w1@vm a", "w1@vm b", "w2@vm a", "x1@vm b"]);
  });
});

describe("a broker that is away when a node starts", () => {
  test("given a patient node, when the broker comes, then the node answers; given one that is not, then it fails", async () => {
    const port = await freePort();
    const broker = `redis://127.0.0.1:${port}/0`;
    const commands = { ping: () => ({ ok: "pong" }) };
    const options = { nodeName: "w1@vm", commands, lamport: new LamportClock(), log: silentLog };
    await expect(openMailbox(broker, options)).rejects.toThrow(OperationalError);
    await using _mailbox = await openMailbox(broker, { ...options, patient: true });

    const dir = await mkdtemp(join(tmpdir(), "celery-test-mailbox-"));
    const server = await startRedisServer([], { port, dir });
    onTestFinished(async () => {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    });

    const ask = (): Promise<ReadonlyMap<string, unknown>> =>
      askWorkers(broker, "ping", { timeoutSeconds: 10 });
    await expect.poll(async () => [...(await ask())]).toEqual([["w1@vm", { ok: "pong" }]]);
  });
});

describe("what stays on the broker", () => {
  test("given a question asked and a node closed, when all is over, then the broker holds nothing of it", async () => {
    const node = await aNode("w1@vm");
    await askWorkers(url, "ping", { timeoutSeconds: 60, destination: ["w1@vm"] });

    await node[Symbol.asyncDispose]();

    await using redis = openConnection(url);
    expect(await redis.call("KEYS", "*")).toEqual([]);
  });
});
