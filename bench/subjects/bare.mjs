/*
 * The ceiling: what remains of a worker when there is no framework around it. The same keys as kombu's, at least once, one Lua
 * call per batch that stores and publishes the results of one batch and claims the next. Each message is parsed whole, the
 * task is called, its result is encoded whole. No errors, no retries, no limits, no heartbeat, no logging.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { noop } from "./noop.mjs";

const BATCH = 50;
const QUEUE = "celery";
const RESULT = "celery-task-meta-";

const TURN = `
local first_claim = 3 + 3 * tonumber(ARGV[2])
for i = 3, first_claim - 1, 3 do
  redis.call('SET', ARGV[i + 1], ARGV[i + 2], 'EX', 86400)
  redis.call('PUBLISH', ARGV[i + 1], ARGV[i + 2])
  redis.call('HDEL', KEYS[2], ARGV[i])
  redis.call('ZREM', KEYS[3], ARGV[i])
end
local count = tonumber(ARGV[1])
local messages = redis.call('LRANGE', KEYS[1], -count, -1)
if #messages == 0 then return messages end
local time = redis.call('TIME')
local fields, scores = {}, {}
for i, message in ipairs(messages) do
  local id = ARGV[first_claim] .. i
  fields[2 * i - 1] = id
  fields[2 * i] = '[' .. message .. ', "", "${QUEUE}"]'
  scores[2 * i - 1] = time[1]
  scores[2 * i] = id
end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('ZADD', KEYS[3], unpack(scores))
redis.call('LTRIM', KEYS[1], 0, -1 - #messages)
return messages
`;

const tasks = new Map([["bench.noop", async () => noop()]]);

/** @param lanes batches under way at once. */
export async function startWorker(url, lanes) {
  const redis = new Redis(url);
  redis.defineCommand("turn", { numberOfKeys: 3, lua: TURN });
  const waiter = new Redis(url);
  let waiting;
  const untilWork = () => {
    waiting ??= waiter.blmove(QUEUE, QUEUE, "RIGHT", "RIGHT", 5).finally(() => (waiting = undefined));
    return waiting;
  };
  await Promise.all(Array.from({ length: lanes }, () => runLane(redis, untilWork)));
}

async function runLane(redis, untilWork) {
  let done = [];
  for (;;) {
    const batch = `${randomUUID()}:`;
    const messages = await redis.turn(
      QUEUE,
      "unacked",
      "unacked_index",
      BATCH,
      done.length / 3,
      ...done,
      batch,
    );
    done = [];
    if (messages.length === 0) await untilWork();
    for (const [index, message] of messages.entries()) {
      const { id, text } = await run(message);
      done.push(`${batch}${index + 1}`, RESULT + id, text);
    }
  }
}

async function run(message) {
  const { headers, body } = JSON.parse(message);
  const [args] = JSON.parse(Buffer.from(body, "base64").toString());
  const result = await tasks.get(headers.task)(...args);
  const meta = {
    status: "SUCCESS",
    result,
    traceback: null,
    children: [],
    date_done: isoNow(),
    task_id: headers.id,
  };
  return { id: headers.id, text: JSON.stringify(meta) };
}

function isoNow() {
  return new Date().toISOString();
}

export async function openClient(url) {
  const redis = new Redis(url);
  const subscriber = new Redis(url);
  const waiting = new Map();
  subscriber.on("pmessage", (_pattern, channel, text) => {
    waiting.get(channel)?.(JSON.parse(text));
    waiting.delete(channel);
  });
  const send = async () => {
    const id = randomUUID();
    const finished = new Promise((resolve) => waiting.set(RESULT + id, resolve));
    await redis.lpush(QUEUE, message(id));
    return { finished };
  };
  return {
    send,
    prepare: () => subscriber.psubscribe(`${RESULT}*`),
    finish: ({ finished }) => finished,
    sendMany: (count) => redis.lpush(QUEUE, ...Array.from({ length: count }, () => message(randomUUID()))),
    close: () => {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

/** As large as Celery's own. */
function message(id) {
  const body = Buffer.from(
    JSON.stringify([[1, 2], {}, { callbacks: null, errbacks: null, chain: null, chord: null }]),
  );
  return JSON.stringify({
    body: body.toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: {
      lang: "js",
      task: "bench.noop",
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: "(1, 2)",
      kwargsrepr: "{}",
      origin: "gen1@bench",
      ignore_result: false,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
    },
    properties: {
      correlation_id: id,
      reply_to: id,
      delivery_mode: 2,
      delivery_info: { exchange: "", routing_key: QUEUE },
      priority: 0,
      body_encoding: "base64",
      delivery_tag: randomUUID(),
    },
  });
}
