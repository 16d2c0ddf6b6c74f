import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

type Tokens = ReadonlyMap<string, string>;

/** The custom properties of every block whose selector matches, in order; later ones win. */
function tokensOf(selector: RegExp): Tokens {
  const blocks = [...css.matchAll(/([^{}]+)\{([^{}]*)\}/g)].filter(([, name]) =>
    selector.test(name?.trim() ?? ""),
  );
  const entries = blocks.flatMap(([, , body]) => [...(body ?? "").matchAll(/(--[\w-]+):\s*([^;]+);/g)]);
  return new Map(entries.map(([, name, value]) => [name ?? "", value?.trim() ?? ""]));
}

const light = tokensOf(/(?:^|\s):root$/);
const dark = new Map([...light, ...tokensOf(/:root\[data-theme="dark"\]$/)]);
const darkBySystem = new Map([...light, ...tokensOf(/:root:not\(\[data-theme="light"\]\)$/)]);

/** @see https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (parts === null) throw new Error(`"${colour}" is not a colour of the form #rrggbb.`);
  const [r = 0, g = 0, b = 0] = parts.slice(1).map((hex) => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(tokens: Tokens, one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(tokens.get(one) ?? one), luminance(tokens.get(other) ?? other)].sort(
    (a, b) => b - a,
  );
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["--bg0", "--bg1", "--bg2"];
const TEXTS = [
  "--fg1",
  "--fg2",
  "--fg3",
  "--accent",
  "--active",
  "--failed",
  "--retry",
  "--producer",
  "--broker",
  "--worker",
];
const FILLED = ["queued", "active", "ok", "failed", "retry"];

const themes: readonly (readonly [string, Tokens])[] = [
  ["light", light],
  ["dark", dark],
];

test.each(themes)(
  "given the %s theme, when text stands on any ground, then it reaches 4.5 to 1",
  (_, tokens) => {
    const weak = TEXTS.flatMap((text) =>
      GROUNDS.map((ground) => [text, ground, contrast(tokens, text, ground)] as const),
    )
      .filter(([, , ratio]) => ratio < 4.5)
      .map(([text, ground, ratio]) => `${text} on ${ground}: ${ratio.toFixed(2)}`);

    expect(weak).toEqual([]);
  },
);

test.each(themes)(
  "given the %s theme, when a state is filled, then its word reaches 4.5 to 1 on it",
  (_, tokens) => {
    const weak = FILLED.filter((state) => contrast(tokens, `--${state}`, `--${state}-bg`) < 4.5);

    expect(weak).toEqual([]);
    expect(contrast(tokens, "--on-accent", "--accent")).toBeGreaterThan(4.5);
  },
);

test.each(themes)("given the %s theme, when lines carry meaning, then they reach 3 to 1", (_, tokens) => {
  for (const ground of GROUNDS) {
    expect(contrast(tokens, "--line-strong", ground)).toBeGreaterThan(3);
    expect(contrast(tokens, "--focus", ground)).toBeGreaterThan(3);
  }
});

test.each(themes)(
  "given the %s theme, when a program prints in colour, then it can be read",
  (name, tokens) => {
    // Black on a dark ground is what the terminal's own minimum contrast lifts.
    const colours = Array.from({ length: 16 }, (_, index) => `--ansi-${index}`).slice(
      name === "dark" ? 1 : 0,
    );

    const weak = colours.filter((colour) => contrast(tokens, colour, "--term-bg") < 4.5);

    expect(weak).toEqual([]);
    expect(contrast(tokens, "--term-fg", "--term-bg")).toBeGreaterThan(7);
  },
);

test("given dark by choice and dark by system, when they are compared, then they are the same", () => {
  expect(dark.get("--bg1")).not.toBe(light.get("--bg1"));
  expect([...darkBySystem]).toEqual([...dark]);
});
