import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { isLoopbackUrl } from "../checks/loopback.ts";
import { askHttp } from "./http-probe.ts";
import { Probes, type Questions } from "./probes.ts";

describe("questions", () => {
  function someProbes(answers: Partial<Questions> = {}) {
    const asked: string[] = [];
    const world = { now: 0, value: 1 };
    const note =
      <T>(kind: string, answer: T) =>
      async (subject: string): Promise<T> => {
        asked.push(`${kind} ${subject}`);
        return answer;
      };
    const questions: Questions = {
      get: note("get", "v"),
      llen: async () => world.value,
      exists: note("exists", true),
      keys: note("keys", 2),
      http: note("http", { status: 200, json: null }),
      ...answers,
    };
    return { probes: new Probes(questions, () => world.now), asked, world };
  }

  test("given a fact that was never asked for, when it is read, then it is unknown, and known after a round", async () => {
    const { probes } = someProbes();
    expect([probes.redis.get("k"), probes.redis.exists("k"), probes.http("u").status]).toEqual([
      null,
      null,
      null,
    ]);
    expect(await probes.refresh()).toBe(true);
    expect([probes.redis.get("k"), probes.redis.exists("k"), probes.http("u").status]).toEqual([
      "v",
      true,
      200,
    ]);
  });

  test("given an answer that changes, when rounds are made, then only the change is news", async () => {
    const { probes, world } = someProbes();
    probes.redis.llen("k");
    expect(await probes.refresh()).toBe(true);
    world.now = 300;
    expect(await probes.refresh()).toBe(false);
    world.now = 600;
    world.value = 2;
    expect(await probes.refresh()).toBe(true);
    expect(probes.redis.llen("k")).toBe(2);
  });

  test("given a page that is asked over HTTP, when rounds are quick, then it is asked once a second; at once when told so", async () => {
    const { probes, asked, world } = someProbes();
    probes.http("u");
    for (const now of [0, 250, 500, 750]) {
      world.now = now;
      await probes.refresh();
    }
    expect(asked).toEqual(["http u"]);
    await probes.refresh(true);
    expect(asked).toHaveLength(2);
  });

  test("given a fact that no check reads any more, when ten seconds have passed, then it is not asked for", async () => {
    const { probes, asked, world } = someProbes();
    probes.redis.get("k");
    world.now = 10_001;
    await probes.refresh();
    expect(asked).toEqual([]);
  });

  test("given a Redis that is away, when a round is made, then the fact is unknown and nothing throws", async () => {
    const { probes } = someProbes({ get: () => Promise.reject(new Error("away")) });
    probes.redis.get("k");
    await probes.refresh();
    expect(probes.redis.get("k")).toBeNull();
  });
});

describe("asking over HTTP", () => {
  async function aServer(answer: Parameters<typeof createServer>[1]): Promise<string> {
    const server: Server = createServer(answer!);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  }

  test("given a program that answers, when it is asked, then status and JSON are known", async () => {
    const url = await aServer((_, response) => void response.writeHead(202).end('{"state":"PENDING"}'));
    expect(await askHttp(url)).toEqual({ status: 202, json: { state: "PENDING" } });
  });

  test("given an answer that is no JSON or endless, when it is asked, then only the status is known", async () => {
    const text = await aServer((_, response) => void response.end("hello"));
    expect(await askHttp(text)).toEqual({ status: 200, json: null });
    const endless = await aServer((_, response) => {
      response.write("[");
      const pour = setInterval(() => response.write("1,".repeat(10_000)), 1);
      response.on("close", () => clearInterval(pour));
    });
    expect(await askHttp(endless)).toEqual({ status: 200, json: null });
  });

  test("given nobody who answers, or one who redirects away, when it is asked, then nothing else is asked", async () => {
    expect(await askHttp("http://127.0.0.1:1/")).toEqual({ status: 0, json: null });
    const url = await aServer(
      (_, response) => void response.writeHead(302, { location: "http://example.com/" }).end(),
    );
    expect(await askHttp(url)).toEqual({ status: 302, json: null });
  });

  test.each([
    "https://127.0.0.1/",
    "http://example.com/",
    "http://127.0.0.1.example.com/",
    "http://10.0.0.1/",
    "http://user@127.0.0.1/",
    "http://127.0.0.1@example.com/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "//127.0.0.1/",
    "",
  ])("given %j, when it is asked, then it is refused without a connection", async (url) => {
    expect(isLoopbackUrl(url)).toBe(false);
    expect(await askHttp(url)).toEqual({ status: 0, json: null });
  });
});
