import { expect, test } from "vitest";
import { startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { openConnection } from "./connection.ts";
import type { Script } from "./script.ts";

const url = `${redisUrl()}/2`;
const echo: Script = { name: "echo", lua: "return {KEYS[1], ARGV[1]}", allowOom: true };

test("given a new connection, when nothing is asked, then nothing is opened; the first command opens it", async () => {
  await using redis = openConnection(url);
  expect(redis.generation).toBe(0);
  expect(await redis.call("PING")).toBe("PONG");
  expect(redis.generation).toBe(1);
});

test("given commands at once, when the connection is not open yet, then they share one", async () => {
  await using redis = openConnection(url);
  await Promise.all(Array.from({ length: 10 }, () => redis.call("PING")));
  expect(redis.generation).toBe(1);
});

test("given a script that the server does not have, when run, then it runs, and again without its text", async () => {
  await using redis = openConnection(url);
  await redis.call("SCRIPT", "FLUSH");
  expect(await redis.run(echo, ["k"], ["a"])).toEqual(["k", "a"]);
  const before = String(await redis.call("INFO", "commandstats"));
  expect(await redis.run(echo, ["k"], ["b"])).toEqual(["k", "b"]);
  const calls = (info: string): string | undefined => /cmdstat_eval:calls=(\d+)/.exec(info)?.[1];
  expect(calls(String(await redis.call("INFO", "commandstats")))).toBe(calls(before));
});

test("given several commands of which one fails, when sent together, then the error is that one's", async () => {
  await using redis = openConnection(url);
  await redis.call("SET", "text", "x");
  const sent = redis.pipeline([["PING"], ["LPUSH", "text", "1"], ["PING"]]);
  await expect(sent).rejects.toMatchObject({ kind: "refused", replyCode: "WRONGTYPE" });
  expect(await redis.pipeline([["PING"], ["GET", "text"]])).toEqual(["PONG", "x"]);
});

test("given a connection killed by the server, when used again, then there is a new one", async () => {
  await using redis = openConnection(url);
  await using other = openConnection(url);
  const id = Number(await redis.call("CLIENT", "ID"));
  const refused = expect(redis.call("BLPOP", "nothing", 5)).rejects.toMatchObject({ kind: "lost" });
  await until(async () => String(await other.call("CLIENT", "LIST")).includes("cmd=blpop"));
  await other.call("CLIENT", "KILL", "ID", id);
  await refused;
  expect(await redis.call("PING")).toBe("PONG");
  expect(redis.generation).toBe(2);
});

test("given a connection that is dropped, when a command is unanswered, then it is lost, and not sent again", async () => {
  await using redis = openConnection(url);
  await redis.call("DEL", "waited-for");
  const blocked = redis.call("BLPOP", "waited-for", 5);
  redis.drop();
  await expect(blocked).rejects.toMatchObject({ kind: "lost" });
  expect(await redis.call("RPUSH", "waited-for", "x")).toBe(1);
  expect(await redis.call("LLEN", "waited-for")).toBe(1);
});

test("given a database that the server does not have, when connecting, then that is the error, not another database", async () => {
  await using redis = openConnection(`${redisUrl()}/4711`);
  await expect(redis.call("PING")).rejects.toThrow(/DB index is out of range/);
});

test("given nobody listening, when connecting, then the error names the place, without the password", async () => {
  await using redis = openConnection("redis://:secret@127.0.0.1:1/0");
  await expect(redis.call("PING")).rejects.toMatchObject({
    kind: "unreachable",
    code: "OPERATIONAL_ERROR",
    message:
      "Cannot connect to Redis at redis://:**@127.0.0.1:1/0: connect ECONNREFUSED 127.0.0.1:1. Is it running there?",
  });
});

test("given a server with a password, when it is missing or wrong, then the error says which", async () => {
  await using server = await startRedisServer(["--requirepass", "pw"]);
  const at = (credentials: string): string => server.url.replace("//", `//${credentials}`);
  await using none = openConnection(server.url);
  await expect(none.call("PING")).rejects.toThrow(/the server wants a password/);
  await using wrong = openConnection(at(":nonsense@"));
  await expect(wrong.call("PING")).rejects.toThrow(/the password in the URL is not the server's/);
  await using long = openConnection(server.url);
  await expect(long.call("DEL", ...Array.from({ length: 20 }, (_, i) => `k${i}`))).rejects.toThrow(
    /the server wants a password/,
  );
  await using right = openConnection(at(":pw@"));
  expect(await right.call("PING")).toBe("PONG");
});

test("given a database number that the server does not have, when used, then the error says what to do", async () => {
  await using server = await startRedisServer([]);
  await using redis = openConnection(server.url.replace(/(\/\d+)?$/, "/9999"));

  await expect(redis.call("PING")).rejects.toThrow(
    /DB index is out of range.*end the URL with a smaller number/,
  );
});

test("given a closed connection, when used, then it says so and opens nothing", async () => {
  const redis = openConnection(url);
  await redis.call("PING");
  await redis[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await expect(redis.call("PING")).rejects.toThrow(/closed on our side/);
  expect(redis.generation).toBe(1);
});

test("given a thread that was busy for longer than an answer may take, when the answer has come meanwhile, then it counts", async () => {
  await using redis = openConnection(url, { replyTimeoutMs: 200 });
  await redis.connect();
  const asked = redis.call("PING");
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + 500;
  while (performance.now() < until);
  expect(await asked).toBe("PONG");
  expect(redis.generation).toBe(1);
});
