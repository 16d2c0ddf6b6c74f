import type { Redis } from "ioredis";

/**
 * The library's one runtime door. Loaded on demand, and a module of its own: what a bundle makes of an `import()` of a CommonJS
 * package has no named exports (ADR 35).
 */
export { Redis } from "ioredis";

/**
 * What we use of a client. The bundle leaves out the other 500 methods (ADR 46, `build/plugins.mjs`): a command that is not here goes through `call`.
 */
export type RedisClient = Pick<
  Redis,
  | "call"
  | "connect"
  | "disconnect"
  | "off"
  | "on"
  | "once"
  | "ping"
  | "psubscribe"
  | "punsubscribe"
  | "select"
  | "status"
  | "stream"
  | "subscribe"
  | "unsubscribe"
>;
