import { inject } from "vitest";
import { describeTransport } from "../../test/conformance/transport.ts";

describeTransport("Redis", () => `${inject("redisUrl")}/1`);
