import { describe, expect, inject, onTestFinished, test } from "vitest";
import { openConnection } from "../redis/connection.ts";
import { LamportClock } from "../runtime/lamport-clock.ts";
import { silentLog } from "../runtime/log.ts";
import { askWorkers, type ControlCommand, openMailbox, standardCommands } from "./index.ts";

const url = `${inject("redisUrl")}/21`;

async function aNode(
  nodeName: string,
  commands: Record<string, ControlCommand> = {},
): Promise<AsyncDisposable> {
  const lamport = new LamportClock();
  const mailbox = await openMailbox(url, {
    nodeName,
    commands: { ...standardCommands(lamport), ...commands },
    lamport,
    log: silentLog,
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

describe("what stays on the broker", () => {
  test("given a question asked and a node closed, when all is over, then the broker holds nothing of it", async () => {
    const node = await aNode("w1@vm");
    await askWorkers(url, "ping", { timeoutSeconds: 60, destination: ["w1@vm"] });

    await node[Symbol.asyncDispose]();

    await using redis = openConnection(url);
    expect(await redis.call("KEYS", "*")).toEqual([]);
  });
});
