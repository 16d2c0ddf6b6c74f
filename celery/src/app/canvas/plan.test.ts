import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeJson, encodeJson } from "../../protocol/json.ts";
import { encodeTaskBody } from "../../protocol/message.ts";
import { toTuple } from "../../protocol/result-tuple.ts";
import type { FreezeDeps } from "./freeze.ts";
import { toApplyOptions } from "./options.ts";
import { type Plan, type PlannedStep, planCanvas } from "./plan.ts";
import { chain, chord, group, signature } from "./primitives.ts";
import { makeChunks, makeMap, makeSig, type Sig } from "./sig.ts";
import { Signature } from "./signature.ts";
import { toSig } from "./to-sig.ts";

interface Sent {
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly result: unknown;
  readonly signature?: string;
  readonly embed?: string;
}

/** Written by the real Celery: see test/support/make-canvas-cases.py. */
const cases = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/canvas-cases.json", import.meta.url), "utf8"),
) as { sent: Record<string, Sent>; followed: Record<string, Sent> };

const s = (...args: number[]): Signature<number> => signature<number>("add", args);
const m = (...args: number[]): Signature<number> => signature<number>("mul", args);
const t = (): Signature<number> => signature<number>("xsum");
const si = (...args: number[]): Signature<number> => signature<number>("add", args, { immutable: true });
const errors = <T extends Signature<unknown, unknown>>(sig: T): T => sig.linkError(signature("on_error"));
const map = (kind: "xmap" | "xstarmap", it: unknown[]): Signature =>
  new Signature(makeMap(kind, makeSig("add"), it), undefined);
const pairs = [
  [1, 1],
  [2, 2],
  [3, 3],
];
const chunks = (): Signature => new Signature(makeChunks(makeSig("add"), pairs, 2), undefined);

type Make = () => Signature<unknown, unknown>;

/** The same canvases as in make-canvas-cases.py. */
const ours: Readonly<Record<string, Make>> = {
  task: () => s(2, 2),
  "task immutable": () => si(2, 2).set({ queue: "q", priority: 3 }),
  "task with links": () => s(1, 2).link(m(3)).link(m(4)),
  "task with errback": () => errors(s(1, 2)),
  "chain of two": () => chain(s(2, 2), m(8)),
  "chain of three": () => chain(s(2, 2), m(8), s(1)),
  "chain by pipe": () => s(2, 2).pipe(m(8)).pipe(s(1)).pipe(s(2)),
  "chain in chain": () => chain(s(1, 1), chain(m(2), m(3)), s(4)),
  "chain of one": () => chain(s(1, 1)),
  "chain with errback": () => errors(chain(s(1, 1), m(2))),
  "chain with link": () => chain(s(1, 1), m(2)).link(s(7)),
  "chain immutable": () => chain(s(1, 1), signature("mul", [2, 3], { immutable: true }), si(4, 5)),
  "chain ends in group": () => chain(s(1, 1), group(s(10), s(20))),
  "chain begins with group": () => chain(group(s(1, 1), s(2, 2)), t()),
  "chain with group inside": () => chain(s(1, 1), group(s(10), s(20)), t()),
  "chain with group inside and more": () => chain(s(1, 1), group(s(10), s(20)), t(), m(3), s(5)),
  "chain with two groups": () => chain(group(s(1, 1), s(2, 2)), group(m(1), m(2))),
  "chain group task group task": () => chain(s(1, 1), group(s(1), s(2)), t(), group(m(1), m(2)), t()),
  "chain of chords": () => chain(chord([s(1, 1), s(2, 2)], t()), chord([m(1), m(2)], t())),
  "chain with group of one": () => chain(s(1, 1), group(s(10)), m(2)),
  "chain with empty group": () => chain(s(1, 1), group(), m(2)),
  group: () => group(s(1, 1), s(2, 2)),
  "group of group": () => group(s(1, 1), group(s(2, 2), s(3, 3))),
  "group of chains": () => group(chain(s(1, 1), m(2)), chain(s(2, 2), m(3))),
  "group of chord": () => group(chord([s(1, 1), s(2, 2)], t()), s(3, 3)),
  "group with errback": () => errors(group(s(1, 1), s(2, 2))),
  "group of one chain ending in group": () => group(chain(s(1, 1), group(s(2), s(3)))),
  "empty group": () => group(),
  chord: () => chord([s(1, 1), s(2, 2)], t()),
  "chord of one": () => chord([s(1, 1)], t()),
  "chord by pipe": () => group(s(1, 1), s(2, 2)).pipe(t()),
  "chord with more": () => group(s(1, 1), s(2, 2)).pipe(t()).pipe(m(2)).pipe(m(3)),
  "chord body chain": () => chord([s(1, 1), s(2, 2)], chain(t(), s(1))),
  "chord body group": () => chord([s(1, 1), s(2, 2)], group(t(), t())),
  "chord body chord": () => chord([s(1, 1), s(2, 2)], chord([t(), t()], t())),
  "chord header chain": () => chord([chain(s(1, 1), m(3)), s(2, 2)], t()),
  "chord header group": () => chord([group(s(1, 1), s(2, 2)), s(3, 3)], t()),
  "chord header chord": () => chord([chord([s(1, 1), s(2, 2)], t()), s(3, 3)], t()),
  "chord header chain ending in group": () => chord([chain(s(1, 1), group(s(2), s(3))), s(4, 4)], t()),
  "chord header chain ending in chord": () => chord([chain(s(1, 1), group(s(2), s(3)), t()), s(4, 4)], t()),
  "chord with errback": () => errors(chord([s(1, 1), s(2, 2)], t())),
  "chord with link": () => chord([s(1, 1), s(2, 2)], t()).link(m(5)),
  "chord empty": () => chord([], t()),
  "chord with countdown": () => chord([s(1, 1), s(2, 2)], t()).set({ queue: "q" }),
  "chord to queues": () =>
    chord([s(1, 1).set({ queue: "a" }), s(2, 2).set({ queue: "b" })], t().set({ queue: "c" })),
  map: () => map("xmap", [1, 2]),
  starmap: () => map("xstarmap", pairs.slice(0, 2)),
  chunks,
  "chunks in chord": () => chord(group([0, 2].map((at) => map("xstarmap", pairs.slice(at, at + 2)))), t()),
  "map in chain": () => chain(s(1, 1), map("xmap", [1, 2]), t()),
  stamped: () => s(1, 1).stamp({ tenant: "a" }),
  "stamped chain": () => chain(s(1, 1), m(2)).stamp({ tenant: "a" }),
  "stamped group": () => group(s(1, 1), s(2, 2)).stamp({ tenant: "a" }),
  "stamped chord": () => chord([s(1, 1), s(2, 2)], t()).stamp({ tenant: "a" }),
  "stamped links": () => s(1, 1).link(m(2)).stamp({ tenant: "a" }),
  "error on everything": () => errors(chain(s(1, 1), group(s(1), chain(s(2), m(3))), t())),
  "through json": () => {
    const made = chain(s(1, 1), group(s(10), s(20)), t(), m(2));
    return new Signature(toSig(decodeJson(encodeJson(made)) as Sig), undefined);
  },
};

/** Celery's "now" is in these. */
const UNTESTED = ["task with countdown in chain"];

test("given the cases of the real Celery, when ours are listed, then none is missing", () => {
  expect(Object.keys(ours).sort()).toEqual(
    Object.keys(cases.sent)
      .filter((name) => !UNTESTED.includes(name))
      .sort(),
  );
});

test.each(Object.keys(ours))("given %s, when it is sent, then the messages are Celery's", (name) => {
  const expected = cases.sent[name];
  const plan = planCanvas(toSig(ours[name]?.()), [], {}, deps());
  expect(neutral(plan)).toEqual({ steps: expected?.steps, result: expected?.result });
});

test.each(Object.keys(ours).filter((name) => !["through json"].includes(name)))(
  "given %s, when it is written down, then its dict is Celery's",
  (name) => {
    expect(encodeJson(ours[name]?.())).toEqual(cases.sent[name]?.signature);
  },
);

test.each(Object.keys(ours))("given %s, when it is sent twice, then it was not changed by it", (name) => {
  const sig = ours[name]?.();
  const before = encodeJson(sig);
  const first = neutral(planCanvas(toSig(sig), [], {}, deps()));
  const second = neutral(planCanvas(toSig(sig), [], {}, deps()));
  expect(second).toEqual(first);
  // A group without tasks is not sent but frozen, in Celery, too.
  if (name !== "empty group") expect(encodeJson(sig)).toBe(before);
});

test.each(Object.entries(cases.followed))(
  "given what came with %s, when the worker goes on, then its messages are Celery's",
  (_name, expected) => {
    const embed = decodeJson(expected.embed ?? "") as { chain: Sig[]; chord: Sig; callbacks: Sig[] };
    const from = { parent_id: "parent", root_id: "root", priority: null };
    const plan = embed.chain?.length
      ? planCanvas(embed.chain.at(-1) as Sig, [42], { chain: embed.chain.slice(0, -1), ...from }, deps())
      : embed.chord
        ? planCanvas(embed.chord, [[42, 43]], {}, deps())
        : planCanvas(toSig(group(embed.callbacks.map((one) => signature(one)))), [42], from, deps());
    expect(neutral(plan, expected.embed)).toEqual({ steps: expected.steps, result: expected.result });
  },
);

function deps(): FreezeDeps {
  return { newId: randomUUID, replyTo: "client", errbackOnHeader: false };
}

/** Ids by the order in which they turn up, as in the cases. */
function neutral(plan: Plan, embed?: string): unknown {
  const found = {
    ...(embed && { embed }),
    steps: plan.steps.map(asStep),
    result: plan.result && toTuple(plan.result),
  };
  const known = new Map<string, string>(
    embed ? [...embed.matchAll(/"(n\d+)"/g)].map(([, id]) => [id as string, id as string]) : [],
  );
  const text = JSON.stringify(found).replace(
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g,
    (id) => known.get(id) ?? known.set(id, `n${known.size + 1}`).get(id) ?? "",
  );
  const { embed: _embed, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

function asStep(step: PlannedStep): unknown {
  if (step.kind === "size") return { chord: step.groupId, size: step.size };
  if (step.kind === "shape") {
    return { saved: `celery-taskset-meta-${step.groupId}`, value: encodeJson({ result: step.header }) };
  }
  const { name, args, kwargs, options } = step.call;
  const { link, linkError, chain: next, chord: body, ...rest } = toApplyOptions(options, kwargs);
  const list = (value: unknown): unknown[] | null =>
    value === undefined ? null : Array.isArray(value) ? value : [value];
  return {
    task: name,
    id: rest.taskId,
    body: encodeTaskBody(args, kwargs, {
      callbacks: list(link),
      errbacks: list(linkError),
      chain: next ?? null,
      chord: body ?? null,
    }),
    headers: {
      group: rest.groupId ?? null,
      group_index: rest.groupIndex ?? null,
      root_id: rest.rootId ?? rest.taskId,
      parent_id: rest.parentId ?? null,
      eta: rest.eta ?? null,
      retries: rest.retries ?? 0,
      timelimit: [rest.timeLimit ?? null, rest.softTimeLimit ?? null],
      shadow: rest.shadow ?? null,
      ignore_result: rest.ignoreResult ?? false,
      replaced_task_nesting: rest.replacedTaskNesting ?? 0,
      stamped_headers: rest.stampedHeaders ?? null,
      stamps: rest.stamps ?? {},
    },
    queue: rest.queue ?? "celery",
    priority: rest.priority ?? null,
  };
}
