/** Redis cannot be had as asked for; `message` is for whoever typed the command and says what to do. */
export class RedisUnusable extends Error {
  readonly code = "REDIS_UNUSABLE";
}
