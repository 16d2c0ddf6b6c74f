import { deflateSync } from "node:zlib";

/** What tries to pass for a line of the log, and to command a terminal. */
export const FORGED = "[FORGED: INFO/MainProcess] Task x succeeded";

type Json = Record<string, unknown>;
interface Envelope extends Json {
  body: string;
  headers: Json;
  properties: Json;
}

const EVIL_TEXTS: readonly string[] = [
  `\n${FORGED}`,
  `\r${FORGED}\u001b[2J\u001b]0;owned\u0007`,
  "\u009b31m\u2028\u202e",
  "__proto__",
  "constructor",
  "../../unacked",
  "*",
  "\u0000",
  "{}",
  "\ud800",
  " ",
  "ü".repeat(100_000),
];

const TIMES: readonly unknown[] = [
  "yesterday",
  "2026-13-45T99:99",
  "0000-00-00T00:00:00",
  "9999-12-31T23:59:59.999999+23:59",
  "-271821-04-20T00:00:00Z",
  "2026-11-21T10:00:00.5",
  1e308,
  -1,
  0,
  [],
  {},
  true,
];

/** A message as the real Celery sends it, and something of it as an enemy would. The same for the same `random`. */
export function makeHostile(samples: readonly string[], task: string, random: () => number): string {
  const envelope = JSON.parse(pick(samples, random)) as Envelope;
  envelope.headers["task"] = task;
  envelope.headers["id"] = `hostile-${Math.floor(random() * 1e9)}`;
  for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1)
    pick(ATTACKS, random)(envelope, random);
  if (random() < 0.1) spoilPart(envelope, random);
  return JSON.stringify(envelope);
}

function spoilPart(envelope: Envelope, random: () => number): void {
  const part = pick(["content-type", "content-encoding", "body", "headers", "properties"], random);
  (envelope as Json)[part] = anything(random);
}

type Attack = (envelope: Envelope, random: () => number) => void;

const ATTACKS: readonly Attack[] = [
  (envelope, random) => {
    envelope.headers[pick(Object.keys(envelope.headers), random)] = anything(random);
  },
  (envelope, random) => {
    envelope.properties[pick(Object.keys(envelope.properties), random)] = anything(random);
  },
  (envelope, random) => {
    delete envelope.headers[pick(Object.keys(envelope.headers), random)];
  },
  ({ headers }, random) => {
    headers["task"] = String(headers["task"]) + pick(EVIL_TEXTS, random);
  },
  ({ headers }, random) => {
    headers["id"] = pick(EVIL_TEXTS, random);
  },
  ({ headers }, random) => {
    headers[pick(["eta", "expires"], random)] = pick(TIMES, random);
  },
  ({ headers }, random) => {
    headers["timelimit"] = pick([[-1, 1e308], ["x", null], [0, 0], 7, [{}, []]], random);
  },
  ({ headers }, random) => {
    headers["retries"] = pick([-1, 1e308, "x", 0.5, null], random);
  },
  ({ headers }, random) => {
    headers["stamped_headers"] = pick([["a"], "a", [{}], [pick(EVIL_TEXTS, random)], 1e9], random);
    headers["stamps"] = pick([{ a: [1] }, [], { __proto__: 1 }, "x"], random);
  },
  ({ headers }, random) => {
    headers[pick(EVIL_TEXTS, random)] = anything(random);
  },
  ({ properties }, random) => {
    properties["priority"] = pick([-5, 255, 1e308, "9", null, {}], random);
    properties["reply_to"] = pick([...EVIL_TEXTS, 5, null, {}], random);
  },
  (envelope, random) => setBody(envelope, anything(random)),
  (envelope, random) => setBody(envelope, [anything(random), anything(random), anything(random)]),
  (envelope) =>
    setText(
      envelope,
      '[[], {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}, {}]',
    ),
  (envelope, random) => setBody(envelope, [[], {}, makeEmbed(random)]),
  (envelope, random) => {
    envelope.headers["group"] = pick(EVIL_TEXTS, random);
    setBody(envelope, [[], {}, { chord: random() < 0.5 ? anything(random) : makeSignature(random) }]);
  },
  (envelope, random) => {
    envelope.headers["compression"] = "application/x-gzip";
    // Rarely: to stop one that is too large takes longer than all else here.
    const size = random() < 0.1 ? 20 * 1024 * 1024 : 1000;
    envelope.body = deflateSync(Buffer.alloc(size)).toString("base64");
  },
  (envelope, random) => {
    envelope.headers["compression"] = pick(["gzip", "application/x-bz2", 1, EVIL_TEXTS[0]], random);
  },
];

function makeEmbed(random: () => number): Json {
  const names = ["callbacks", "errbacks", "chain", "chord"].filter(() => random() < 0.5);
  return Object.fromEntries(
    names.map((name) => [name, random() < 0.5 ? anything(random) : [makeSignature(random)]]),
  );
}

function makeSignature(random: () => number): Json {
  const signature = {
    task: pick(["hostile.ok", pick(EVIL_TEXTS, random)], random),
    args: anything(random),
    kwargs: anything(random),
    options: {
      queue: "elsewhere",
      [pick(["eta", "countdown", "priority", "task_id", "chain"], random)]: anything(random),
    },
  };
  return random() < 0.5 ? signature : { ...signature, options: anything(random) };
}

function setBody(envelope: Envelope, body: unknown): void {
  setText(envelope, JSON.stringify(body) ?? "");
}

function setText(envelope: Envelope, text: string): void {
  envelope.body = Buffer.from(text).toString("base64");
}

function anything(random: () => number): unknown {
  const others = [null, true, false, -1, 0, 1.5, 1e308, 2 ** 60, [], {}, [[]], { a: { b: [1] } }];
  return random() < 0.4 ? pick(EVIL_TEXTS, random) : pick([...others, nested(200), TIMES], random);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}
