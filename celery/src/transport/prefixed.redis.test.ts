import { afterAll, beforeAll } from "vitest";
import { describeTransport } from "../../test/conformance/transport.ts";
import { startRedisServer, type TestRedis } from "../../test/support/redis-server.ts";

let server: TestRedis;

beforeAll(async () => {
  server = await startRedisServer(["--user", "worker", "on", ">secret", "~mine:*", "&mine:*", "+@all"]);
});
afterAll(() => server[Symbol.asyncDispose]());

/** A user who may touch nothing without the prefix: no key is forgotten. */
describeTransport("a server with a user of its own and a key prefix", () => {
  return `${server.url.replace("//", "//worker:secret@")}/1?global_keyprefix=mine:`;
});
