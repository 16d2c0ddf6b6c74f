import { afterAll, beforeAll } from "vitest";
import { describeTransport } from "../../test/conformance/transport.ts";
import { startEmulatedRedis } from "../../test/support/emulated-redis.ts";

let emulator: Awaited<ReturnType<typeof startEmulatedRedis>>;

beforeAll(async () => {
  emulator = await startEmulatedRedis();
});
afterAll(() => emulator[Symbol.asyncDispose]());

describeTransport("the built-in emulator", () => emulator.url, false);
