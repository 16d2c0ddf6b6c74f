import { makeHostile } from "./hostile.ts";

/** What must not hurt a worker: what no sender writes, derived from what one would. */
export function makeGarbage(sample: string, random: () => number): string {
  const kinds: readonly (() => string)[] = [
    () => noise(random, 200),
    () => sample.slice(0, Math.floor(random() * sample.length)),
    () => flip(sample, random),
    () => sample + noise(random, 20),
    () => JSON.stringify(spoil(JSON.parse(sample), random)),
    () => JSON.stringify(spoil(JSON.parse(sample), random)),
    () => makeHostile([sample], "fault.add", random),
    () => nest("[", "]", random),
    () => nest('{"a":', "}", random),
    () => JSON.stringify({ ...(JSON.parse(sample) as object), body: noise(random, 50) }),
    () => withBody(sample, noise(random, 50)),
    () => withBody(sample, JSON.stringify(spoil([[1, 2], {}, null], random))),
    () => pick(["", "null", "42", '"text"', "[]", "{}", "{not json", "\u0000", "[null]"], random),
  ];
  return pick(kinds, random)();
}

function noise(random: () => number, length: number): string {
  const codes = Array.from({ length: Math.ceil(random() * length) }, () => Math.floor(random() * 0x500));
  return String.fromCharCode(...codes);
}

function flip(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  return text.slice(0, at) + noise(random, 1) + text.slice(at + 1);
}

function nest(open: string, close: string, random: () => number): string {
  const depth = Math.floor(random() * 100_000);
  return open.repeat(depth) + (random() < 0.5 ? `1${close.repeat(depth)}` : "");
}

function withBody(sample: string, body: string): string {
  return JSON.stringify({ ...(JSON.parse(sample) as object), body: Buffer.from(body).toString("base64") });
}

/** Puts something else in one place of a value. */
function spoil(value: unknown, random: () => number): unknown {
  if (typeof value !== "object" || value === null || random() < 0.15) return anything(random);
  const keys = Object.keys(value);
  if (keys.length === 0) return anything(random);
  const key = pick(keys, random);
  if (random() < 0.15) {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  }
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
  (copy as Record<string, unknown>)[key] = spoil((value as Record<string, unknown>)[key], random);
  return copy;
}

function anything(random: () => number): unknown {
  return pick(
    [null, true, -1, 42, 1e308, "", "x", "2026-13-45T99:99", [], {}, [[]], { a: 1 }, "\u0000", "__proto__"],
    random,
  );
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}
