import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countRight, interval, searchAlpha } from "./evaluate.ts";
import { pick, type Review, readReviews, scorer, train } from "./sentiment.ts";

const reviews = readReviews(join(import.meta.dirname, "reviews.tsv"));
const model = train(pick(reviews, "train"));
const NIGHTS = ["night-1", "night-2", "night-3", "night-4"];

const count = (rows: readonly Review[], test: (row: Review) => boolean): number => rows.filter(test).length;

test("given the reviews, when they are counted by part, then each part has its size and is half positive", () => {
  const sizes = Object.fromEntries(
    ["train", "held-out", ...NIGHTS, "challenge"].map((part) => {
      const rows = pick(reviews, part);
      return [part, [count(rows, (row) => row.label === "pos"), count(rows, (row) => row.label === "neg")]];
    }),
  );
  expect(sizes).toEqual({
    train: [90, 90],
    "held-out": [30, 30],
    "night-1": [20, 20],
    "night-2": [20, 20],
    "night-3": [20, 20],
    "night-4": [20, 20],
    challenge: [9, 11],
  });
  expect(reviews).toHaveLength(420);
});

test("given the reviews, when ids, texts and groups are compared, then nothing is twice and no group crosses parts", () => {
  expect(new Set(reviews.map((row) => row.id)).size).toBe(reviews.length);
  expect(new Set(reviews.map((row) => row.text.toLowerCase())).size).toBe(reviews.length);
  const parts = new Map<string, Set<string>>();
  for (const { group, part } of reviews) parts.set(group, (parts.get(group) ?? new Set()).add(part));
  expect([...parts].filter(([, seen]) => seen.size > 1)).toEqual([]);
});

test("given the reviews that are not a challenge, when their words are counted, then each has 4 to 14", () => {
  const lengths = reviews.filter((row) => row.part !== "challenge").map((row) => row.text.split(" ").length);
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(4);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(14);
});

test("given a held-out review, when it is compared with what the model learns from, then none is nearly the same", () => {
  const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}+/gu));
  const overlap = (a: Set<string>, b: Set<string>): number => {
    const both = [...a].filter((word) => b.has(word)).length;
    return both / (a.size + b.size - both);
  };
  const learned = pick(reviews, "train", ...NIGHTS).map((row) => ({ id: row.id, words: words(row.text) }));
  const near = pick(reviews, "held-out").flatMap((row) =>
    learned
      .filter((other) => overlap(words(row.text), other.words) > 0.6)
      .map((other) => `${row.id} ~ ${other.id}`),
  );
  expect(near).toEqual([]);
});

test("given the model of the 180 training reviews, when it is measured, then these are its figures", () => {
  const right = (part: string): number => countRight(model, pick(reviews, part));
  const { low, high } = interval(right("held-out"), 60);
  expect([right("train"), right("held-out"), right("challenge")]).toEqual([180, 48, 4]);
  expect([low.toFixed(2), high.toFixed(2)]).toEqual(["0.68", "0.88"]);
  expect(Object.keys(model.words)).toHaveLength(470);
});

test("given the two texts of the course's first example, when they are scored, then each comes with its reasons", () => {
  const score = scorer(model);
  expect(score("great product")).toEqual({
    text: "great product",
    score: 0.8976,
    label: "positive",
    because: ["great +2.2"],
  });
  expect(score("awful service")).toMatchObject({ label: "negative", score: 0.1194 });
});

test("given a text without a known word, when it is scored, then the model says that it is unsure", () => {
  const score = scorer(model);
  expect(score("Ausgezeichnet!")).toMatchObject({ score: 0.5, label: "unsure", because: [] });
  expect(score("")).toMatchObject({ label: "unsure" });
  expect(score("constructor")).toMatchObject({ label: "unsure" });
});

test("given a model that went through JSON, when it scores, then it says the same", () => {
  const copy = JSON.parse(JSON.stringify(model)) as typeof model;
  expect(scorer(copy)("fast and friendly")).toEqual(scorer(model)("fast and friendly"));
  expect(scorer(copy)("constructor")).toMatchObject({ label: "unsure" });
});

test("given four nights of new reviews, when the model is retrained each night, then newer is not always better", () => {
  const heldOut = NIGHTS.map((_, night) => {
    const known = pick(reviews, "train", ...NIGHTS.slice(0, night + 1));
    const alpha = [...searchAlpha(known, 20)].at(-1)?.alpha;
    return countRight(train(known, alpha), pick(reviews, "held-out"));
  });
  expect(heldOut).toEqual([49, 51, 52, 51]);
  const lesson = readFileSync(join(import.meta.dirname, "../16-beat/lesson.md"), "utf8").replace(/\s+/g, " ");
  const [first, second, third, fourth] = heldOut;
  expect(lesson).toContain(
    `it gets ${first} right, then ${second}, ${third}, and ${fourth} in the fourth night`,
  );
});

test("given the same reviews, when alpha is searched twice, then the progress and the answer are the same", () => {
  const known = pick(reviews, "train");
  const first = [...searchAlpha(known, 2)];
  expect(first.map(({ done, total }) => [done, total])).toEqual([
    [1, 2],
    [2, 2],
  ]);
  expect([...searchAlpha(known, 2)]).toEqual(first);
});

test("given the lessons that use the model, when their copies are compared, then they are the same as here", () => {
  const lessons = join(import.meta.dirname, "..");
  const shared = ["sentiment.ts", "evaluate.ts", "reviews.tsv"];
  const copies = readdirSync(lessons)
    .filter((name) => /^\d\d-/.test(name))
    .flatMap((slug) => readdirSync(join(lessons, slug, "files")).map((name) => ({ slug, name })))
    .filter(({ name }) => shared.includes(name));
  expect(copies.length).toBeGreaterThan(0);
  for (const { slug, name } of copies) {
    const copy = readFileSync(join(lessons, slug, "files", name), "utf8");
    const why = `lessons/${slug}/files/${name} differs: cp lessons/sentiment/${name} lessons/${slug}/files/`;
    expect(copy === readFileSync(join(import.meta.dirname, name), "utf8"), why).toBe(true);
  }
});
