import { once } from "node:events";
import { expect, test } from "vitest";
import { makeCertificate, startSentinelLab, startTlsRedis } from "../../test/support/redis-kinds.ts";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";
import { openConnection } from "./connection.ts";
import type { Script } from "./script.ts";
import { openSubscriber } from "./subscriber.ts";

async function answerOf(url: string): Promise<unknown> {
  await using redis = openConnection(url);
  return await redis.call("PING");
}

test("given a server that wants TLS and a certificate, when connecting, then each thing that is missing is named", async () => {
  await using certificate = await makeCertificate("IP:127.0.0.1");
  await using server = await startTlsRedis(certificate);
  const ours = `ssl_certfile=${certificate.cert}&ssl_keyfile=${certificate.key}`;

  expect(await answerOf(`${server.url}?${ours}&ssl_ca_certs=${certificate.cert}`)).toBe("PONG");
  expect(await answerOf(`${server.url}?${ours}&ssl_cert_reqs=none`)).toBe("PONG");
  await expect(answerOf(`${server.url}?${ours}`)).rejects.toThrow(/Name the authority that signed it/);
  await expect(answerOf(server.url.replace("rediss", "redis"))).rejects.toMatchObject({ kind: "lost" });
  await expect(answerOf(`${server.url}?ssl_ca_certs=/nowhere.pem`)).rejects.toThrow(
    /ssl_ca_certs: ENOENT.* Correct the option\./,
  );
});

test("given a certificate for another name, when connecting, then it is refused unless names are not checked", async () => {
  await using certificate = await makeCertificate("DNS:redis.example");
  await using server = await startTlsRedis(certificate, ["--tls-auth-clients", "no"]);
  const url = `${server.url}?ssl_ca_certs=${certificate.cert}`;

  await expect(answerOf(url)).rejects.toThrow(/ssl_check_hostname=false accepts that/);
  expect(await answerOf(`${url}&ssl_check_hostname=false`)).toBe("PONG");
});

test("given a Unix socket and a password, when connecting as each library writes it, then it is reached", async () => {
  const socket = `/tmp/celery-test-${process.pid}.sock`;
  await using server = await startRedisServer([
    "--port",
    "0",
    "--unixsocket",
    socket,
    "--requirepass",
    "p@ss",
  ]);
  expect(server.port).toBeGreaterThan(0);
  for (const url of [
    `redis+socket://:p%40ss@${socket}?virtual_host=3`,
    `unix://:p%40ss@${socket}?db=3`,
    `socket://:p%40ss@${socket}?virtual_host=3`,
  ]) {
    await using redis = openConnection(url);
    await redis.call("INCR", "seen");
    expect(String(await redis.call("CLIENT", "INFO"))).toContain(" db=3 ");
  }
  await expect(answerOf(`redis+socket://${socket}`)).rejects.toThrow(/redis\+socket:\/\/\/tmp.*password/);
});

test("given a user with rights to some keys, when others are asked for, then that is refused", async () => {
  await using server = await startRedisServer([
    "--user",
    ..."worker on >secret ~mine:* &mine:* +@all -@dangerous".split(" "),
  ]);
  const url = server.url.replace("//", "//worker:secret@");
  await using redis = openConnection(`${url}?global_keyprefix=mine:`);
  expect(await redis.call("SET", "key", "1")).toBe("OK");
  await using other = openConnection(url);
  await expect(other.call("SET", "key", "1")).rejects.toMatchObject({ kind: "refused", replyCode: "NOPERM" });
});

test("given two brokers of which the first is away, when connecting, then the second serves, and goes on serving", async () => {
  await using server = await startRedisServer();
  const port = await freePort();
  await using redis = openConnection(`redis://127.0.0.1:${port};${server.url}`);
  expect(await redis.call("PING")).toBe("PONG");
  redis.drop();
  expect(await redis.call("PING")).toBe("PONG");
  await expect(answerOf(`redis://127.0.0.1:${port};redis://127.0.0.1:${port}`)).rejects.toMatchObject({
    kind: "unreachable",
  });
});

test("given Sentinels, when the master is killed, then commands and subscriptions go to the new one", async () => {
  await using lab = await startSentinelLab();
  const url = `${lab.url}/2?master_name=${lab.masterName}`;
  await using redis = openConnection(url);
  await using subscriber = openSubscriber(url);
  await subscriber.subscribe("news");
  await redis.call("SET", "key", "1");
  expect(await redis.call("WAIT", 1, 3000)).toBe(1);

  await lab.failOver();

  await until(async () => {
    const value = await redis.call("GET", "key").catch(() => undefined);
    return value === "1" && subscriber.isUp;
  });
  expect(await redis.call("SET", "key", "2")).toBe("OK");
  const heard = once(subscriber.events, "message");
  expect(await redis.call("PUBLISH", "news", "hello")).toBe(1);
  expect((await heard).slice(0, 2)).toEqual(["news", "hello"]);
});

test("given a Sentinel that does not know the name, when connecting, then the error is the Sentinel's", async () => {
  await using lab = await startSentinelLab();
  await expect(answerOf(`${lab.url}?master_name=other`)).rejects.toThrow(/No such master/);
  await expect(answerOf(`${lab.url}?master_name=mymaster&min_other_sentinels=1`)).rejects.toThrow(
    /knows 0 others/,
  );
});

test("given a user who may not ask for the server's role, when connecting by Sentinels, then it is refused, and no connection stays", async () => {
  await using lab = await startSentinelLab();
  const url = `${lab.url}?master_name=${lab.masterName}`;
  await using admin = openConnection(url);
  await admin.call("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-role");
  await using limited = openConnection(url.replace("//", "//limited:secret@"));
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await expect(limited.call("PING")).rejects.toMatchObject({ kind: "refused", replyCode: "NOPERM" });
  }
  await until(async () => !String(await admin.call("CLIENT", "LIST")).includes("user=limited"));
});

test("given a server that becomes a replica, when it refuses to write, then the next connection looks for the master", async () => {
  await using lab = await startRedisServer();
  await using other = await startRedisServer();
  await using redis = openConnection(`${lab.url};${other.url}`);
  await redis.call("SET", "key", "1");
  await using admin = openConnection(lab.url);
  await admin.call("REPLICAOF", "127.0.0.1", other.port);

  await expect(redis.call("SET", "key", "2")).rejects.toMatchObject({ replyCode: "READONLY" });
  expect(await redis.call("PING")).toBe("PONG");
  expect(redis.generation).toBe(2);
});

test("given a prefix, when commands, scripts and messages pass, then Redis has it and callers don't", async () => {
  const url = `${redisUrl()}/61`;
  const prefix = "it's {a} \\prefix*:";
  await using plain = openConnection(url);
  await plain.call("FLUSHDB");
  const prefixed = `${url}?global_keyprefix=${encodeURIComponent(prefix)}`;
  await using redis = openConnection(prefixed, { resultsUrl: `${url}?global_keyprefix=r_` });
  await using subscriber = openSubscriber(prefixed);
  const script: Script = { name: "where", lua: "return {KEYS[1], PREFIX, RESULT_PREFIX}", allowOom: true };
  await subscriber.subscribe("channel");
  await subscriber.subscribePattern("chan*");
  const heard: unknown[] = [];
  subscriber.events.on("message", (...message) => heard.push(message));

  await redis.call("LPUSH", "list", "text");
  expect(await plain.call("KEYS", "*")).toEqual([`${prefix}list`]);
  expect(await redis.call("KEYS", "l*")).toEqual(["list"]);
  expect(await redis.call("SCAN", "0", "COUNT", 100)).toEqual(["0", ["list"]]);
  expect(await redis.pipeline([["BRPOP", "list", "1"]])).toEqual([["list", "text"]]);
  expect(await redis.run(script, ["key"], [])).toEqual([`${prefix}key`, prefix, "r_"]);
  expect(await plain.call("PUBLISH", `${prefix}channel`, "x")).toBe(2);
  await until(() => heard.length === 2);
  expect(heard).toEqual([
    ["channel", "x", undefined],
    ["channel", "x", "chan*"],
  ]);
});
