import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { encodeTaskBody, encodeTaskMessage, type TaskDraft, type TaskMessage } from "./message.ts";
import { decodeMessage } from "./message-decode.ts";

interface Vector {
  readonly name: string;
  readonly celery: string;
  readonly key: string;
  readonly raw: string;
}

const fixtures = new URL("../../test/fixtures/messages.json", import.meta.url);
const vectors = JSON.parse(readFileSync(fixtures, "utf8")) as readonly Vector[];
const readable = vectors.filter(({ name }) => !/pickle|yaml|bzip2|proto1/.test(name));
/** 5.2 wrote fewer headers; a compressed body is not compressed again. */
const repeatable = readable.filter(
  ({ name, celery }) => !/compression/.test(name) && !celery.startsWith("5.2"),
);

function decode(raw: string): TaskMessage {
  const decoded = decodeMessage(raw);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.message;
}

function vector(name: string): string {
  const found = vectors.findLast((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found.raw;
}

test.each(repeatable)(
  "given $name as Celery $celery wrote it, when decoded and encoded, then the bytes are the same",
  ({ raw }) => {
    expect(repeatable.length).toBeGreaterThan(50);
    expect(encodeTaskMessage(decode(raw))).toBe(raw);
  },
);

test.each(readable)(
  "given $name of Celery $celery, when decoded, then the body's parts are the sender's",
  ({ raw }) => {
    const message = decode(raw);
    const envelope = JSON.parse(raw) as { headers: { id: string; task: string }; body: string };
    expect([message.headers.id, message.headers.task]).toEqual([envelope.headers.id, envelope.headers.task]);
    if ("compression" in envelope.headers) return;
    expect(message.bodyText).toBe(Buffer.from(envelope.body, "base64").toString());
  },
);

test("given add.delay(2, 3), when its fields are encoded from scratch, then Celery's bytes come out", () => {
  const raw = vector("add-delay");
  const { headers, properties } = decode(raw);
  const draft: TaskDraft = { headers, properties, bodyText: encodeTaskBody([2, 3], {}) };
  expect(encodeTaskMessage(draft)).toBe(raw);
});

test("given typed values that Celery 5.7 sent, when decoded, then each is what JavaScript has for it", () => {
  const message = decode(vectors.find((v) => v.name === "json-types" && v.celery === "5.7.0")?.raw ?? "");
  expect(message.args).toEqual([new Date("2026-01-02T03:04:05.678Z"), "2020-01-02"]);
  expect(message.kwargs).toEqual({
    t: "01:02:03",
    d: "1.10",
    u: "12345678-1234-5678-1234-567812345678",
    b: new TextEncoder().encode("abc"),
    bb: new Uint8Array([0xff, 0xfe]),
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    ninf: Number.NEGATIVE_INFINITY,
    big: 12345678901234567890n,
    f: 1,
    small: 1e-7,
    large: 1e22,
    esc: 'a\u007f\u2028"\\\n\t\u0001\u{1f600}',
  });
});

test("given a compressed message, when decoded, then its arguments are there", () => {
  expect(decode(vector("compression-gzip")).args.length).toBeGreaterThan(0);
});

test("given a compressed message, when it is encoded again, as a retry does, then it is compressed and says so once", () => {
  const message = decode(vector("compression-gzip"));
  const raw = encodeTaskMessage({ ...message, headers: { ...message.headers, retries: 1 } });

  expect(raw.match(/"compression": "application\/x-gzip"/g)).toHaveLength(1);
  expect(decode(raw)).toMatchObject({
    bodyText: message.bodyText,
    args: message.args,
    headers: { retries: 1 },
  });
});

test.each([
  [
    { retries: 5, mine: undefined, task: "another.name" },
    { task: "another.name", retries: 5 },
  ],
  [{ mine: undefined }, {}],
  [{ mine: { deep: ["ż"] } }, { mine: { deep: ["ż"] } }],
])(
  "given the custom headers %j, when encoded, then they are there, in place of the protocol's own if need be",
  (custom, found) => {
    const message = decode(vector("add-delay"));
    const raw = encodeTaskMessage({ ...message, headers: { ...message.headers, custom } });

    expect(JSON.parse(raw)).toMatchObject({ headers: found });
    expect(raw.match(/"task": /g)).toHaveLength(1);
  },
);

test("given a redelivered message, when decoded and encoded, then both marks survive", () => {
  const raw = vector("add-delay")
    .replace('"stamps": {}', '"stamps": {}, "redelivered": true')
    .replace('"routing_key": "celery"}', '"routing_key": "celery", "redelivered": true}');
  const message = decode(raw);
  expect(message.properties.deliveryInfo.redelivered).toBe(true);
  expect(encodeTaskMessage(message)).toBe(raw);
});

/** A sound message with a part replaced. */
function broken(change: (envelope: Record<string, unknown>) => void): string {
  const envelope = JSON.parse(vector("add-delay")) as Record<string, unknown>;
  change(envelope);
  return JSON.stringify(envelope);
}
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");
const nested = "[".repeat(100_000) + "]".repeat(100_000);

const unusable: readonly (readonly [name: string, raw: string, reason: RegExp])[] = [
  ["text that is not JSON", "{not json", /cannot be read.*Not JSON/],
  ["a number", "42", /The message is a number, not an object/],
  ["a list", "[]", /is a list/],
  ["null", "null", /is null/],
  ["an empty object", "{}", /headers is missing/],
  [
    "no task name",
    broken((e) => delete (e["headers"] as Record<string, unknown>)["task"]),
    /headers.task is missing/,
  ],
  ["no id", broken((e) => delete (e["headers"] as Record<string, unknown>)["id"]), /headers.id is missing/],
  ["no properties", broken((e) => delete e["properties"]), /properties is missing/],
  [
    "no delivery tag",
    broken((e) => delete (e["properties"] as Record<string, unknown>)["delivery_tag"]),
    /delivery_tag/,
  ],
  [
    "no delivery info",
    broken((e) => delete (e["properties"] as Record<string, unknown>)["delivery_info"]),
    /delivery_info/,
  ],
  ["a body that is not base64", broken((e) => (e["body"] = "%%%")), /not base64/],
  ["a body that is not text", broken((e) => (e["body"] = 7)), /body is missing/],
  [
    "a body that is not UTF-8",
    broken((e) => (e["body"] = base64(new Uint8Array([0xff, 0xfe])))),
    /not UTF-8/,
  ],
  ["a body that is not JSON", broken((e) => (e["body"] = base64("[[1], {"))), /The body cannot be read/],
  ["a body of two parts", broken((e) => (e["body"] = base64("[[], {}]"))), /not \[args, kwargs, embed\]/],
  ["args that are no list", broken((e) => (e["body"] = base64("[1, {}, {}]"))), /args are not a list/],
  ["kwargs that are a list", broken((e) => (e["body"] = base64("[[], [], {}]"))), /kwargs is a list/],
  ["a byte order mark", `\ufeff${vector("add-delay")}`, /Not JSON/],
  ["an envelope nested 100 000 deep", nested, /nested more than 100 levels/],
  [
    "a body nested 100 000 deep",
    broken((e) => (e["body"] = base64(`[${nested}, {}, {}]`))),
    /nested more than/,
  ],
  [
    "pickle",
    vector("serializer-pickle"),
    /untrusted content of type pickle \(application\/x-python-serialize\)/,
  ],
  ["yaml", vector("serializer-yaml"), /type yaml/],
  ["protocol 1", vector("proto1"), /task_protocol = 2/],
  ["an unknown compression", vector("compression-bzip2"), /application\/x-bz2/],
  ["an unknown encoding", broken((e) => (e["content-encoding"] = "utf-16")), /"utf-16" is not supported/],
  [
    "an unknown type inside",
    broken((e) => (e["body"] = base64('[[{"__type__": "x", "__value__": 1}], {}, {}]'))),
    /Unsupported type "x"/,
  ],
];

test.each(unusable)(
  "given %s, when decoded, then there is a reason instead of an exception",
  (_name, raw, reason) => {
    const decoded = decodeMessage(raw);
    expect(decoded).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as unknown });
  },
);

test("given a message that is too large, when decoded, then it is not parsed at all", () => {
  const decoded = decodeMessage("{".repeat(2000), { maxBytes: 1000 });
  expect(decoded).toMatchObject({
    ok: false,
    kind: "too-large",
    reason: expect.stringContaining("2000") as unknown,
  });
});

test("given a compression bomb, when decoded, then it is stopped at the limit", () => {
  const bomb = deflateSync(Buffer.alloc(50 * 1024 * 1024)).toString("base64");
  const raw = broken((e) => {
    e["body"] = bomb;
    (e["headers"] as Record<string, unknown>)["compression"] = "application/x-gzip";
  });
  expect(decodeMessage(raw)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/decompressed/) as unknown,
  });
});

test("given a failure after the headers, when decoded, then task id and name are known", () => {
  const decoded = decodeMessage(broken((e) => (e["body"] = "%%%")));
  expect(decoded).toMatchObject({ taskName: "labapp.add", taskId: expect.any(String) as unknown });
});

test("given __proto__ and constructor as keys everywhere, when decoded, then no prototype changes", () => {
  const evil = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}';
  const headers =
    '"headers": {"lang": "py", "task": "t", "id": "1", "__proto__": {"polluted": 1}, "stamps": ' + evil;
  const body = base64(`[[${evil}], ${evil}, ${evil}]`);
  const properties = `{"delivery_tag": "d", "delivery_info": ${evil}, "body_encoding": "base64", "__proto__": {"polluted": 1}}`;
  const raw = `{"body": "${body}", "content-type": "application/json", ${headers}}, "properties": ${properties}}`;

  const message = decode(raw);

  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(Object.getPrototypeOf(message.kwargs)).toBe(Object.prototype);
  expect(Object.getPrototypeOf(message.headers.custom)).toBe(Object.prototype);
  expect(Object.keys(message.kwargs)).toEqual(["__proto__", "constructor"]);
});
