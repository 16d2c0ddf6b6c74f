/**
 * `global_keyprefix`: what stands before every key and channel of one connection. Like kombu, it is put there on the way to Redis
 * and taken off what comes back, so that nobody else has to know of it.
 *
 * @see kombu 5.7.0 transport/redis.py, `GlobalKeyPrefixMixin`
 */

/** Commands whose arguments are no keys. */
const NO_KEYS: ReadonlySet<string> = new Set(
  `PING ECHO SELECT AUTH HELLO INFO TIME ROLE DBSIZE FLUSHDB FLUSHALL CLIENT CONFIG SCRIPT MULTI EXEC DISCARD DEBUG WAIT COMMAND
  MEMORY LATENCY SLOWLOG SHUTDOWN SAVE BGSAVE BGREWRITEAOF REPLICAOF`.split(/\s+/),
);
/** Commands all of whose arguments are keys or channels. */
const ALL_KEYS: ReadonlySet<string> = new Set(
  "DEL UNLINK EXISTS MGET TOUCH WATCH SUNION SINTER SDIFF RENAME RENAMENX".split(" "),
);
/** Commands that end with a time to wait. */
const BLOCKING: ReadonlySet<string> = new Set(["BRPOP", "BLPOP"]);
const TWO_KEYS: ReadonlySet<string> = new Set(["LMOVE", "BLMOVE", "RPOPLPUSH", "BRPOPLPUSH", "SMOVE"]);

/** The command's arguments with the prefix before every key. Other commands than those above have one key, the first. */
export function prefixArguments(prefix: string, command: string, args: readonly string[]): readonly string[] {
  const name = command.toUpperCase();
  if (NO_KEYS.has(name)) return args;
  if (name === "SCAN") return prefixScan(prefix, args);
  if (name === "KEYS") return [escapeGlob(prefix) + (args[0] ?? "*")];
  if (name === "PUBSUB") return [...args.slice(0, 1), ...args.slice(1).map((channel) => prefix + channel)];
  const keys = keyCount(name, args.length);
  return args.map((arg, index) => (index < keys ? prefix + arg : arg));
}

function keyCount(name: string, length: number): number {
  if (ALL_KEYS.has(name)) return length;
  if (BLOCKING.has(name)) return length - 1;
  return TWO_KEYS.has(name) ? 2 : 1;
}

function prefixScan(prefix: string, args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => arg.toUpperCase() === "MATCH");
  if (at === -1) return [...args, "MATCH", `${escapeGlob(prefix)}*`];
  return args.map((arg, index) => (index === at + 1 ? escapeGlob(prefix) + arg : arg));
}

/** A pattern that means the text itself. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

/** The reply without the prefix, where it names keys. */
export function stripReply(prefix: string, command: string, reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  const name = command.toUpperCase();
  const strip = (key: unknown): unknown => (typeof key === "string" ? stripPrefix(prefix, key) : key);
  if (BLOCKING.has(name)) return [strip(reply[0]), ...(reply.slice(1) as unknown[])];
  if (name === "KEYS") return reply.map(strip);
  if (name === "SCAN") return [reply[0], (reply[1] as unknown[]).map(strip)];
  return reply;
}

export function stripPrefix(prefix: string, key: string): string {
  return key.startsWith(prefix) ? key.slice(prefix.length) : key;
}
