import { describeTransport } from "../../test/conformance/transport.ts";
import { redisUrl } from "../../test/support/redis-url.ts";

describeTransport("Redis", () => `${redisUrl()}/1`);
