import { readFile, rename, writeFile } from "node:fs/promises";

/** Naive Bayes over words: in how many reviews of each kind a word was seen. */
export interface Model {
  readonly positive: Readonly<Record<string, number>>;
  readonly negative: Readonly<Record<string, number>>;
}

export interface Score {
  readonly text: string;
  /** Probability of "positive", 0 to 1. */
  readonly score: number;
  readonly label: "positive" | "negative";
}

const here = (name: string): URL => new URL(name, import.meta.url);

/** Learns from reviews.tsv: a label and a text a line. */
export async function train(): Promise<Model> {
  const lines = (await readFile(here("reviews.tsv"), "utf8")).trim().split("\n");
  const reviews = lines.map((line) => line.split("\t"));
  const count = (label: string): Record<string, number> => {
    const words = reviews.flatMap(([own, text = ""]) => (own === label ? [...wordsOf(text)] : []));
    return Object.fromEntries(words.map((word) => [word, words.filter((other) => other === word).length]));
  };
  return { positive: count("positive"), negative: count("negative") };
}

/** Written under another name first: a worker that reads meanwhile finds the old model or the new one, whole. */
export async function save(model: Model): Promise<void> {
  await writeFile(here("model.json.new"), JSON.stringify(model));
  await rename(here("model.json.new"), here("model.json"));
}

/** The saved model, or one trained on the spot before the first retraining. */
export async function load(): Promise<Model> {
  try {
    return JSON.parse(await readFile(here("model.json"), "utf8")) as Model;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return train();
    throw error;
  }
}

export function scoreText({ positive, negative }: Model, text: string): Score {
  const odds = [...wordsOf(text)].reduce(
    (sum, word) => sum + Math.log(((positive[word] ?? 0) + 1) / ((negative[word] ?? 0) + 1)),
    0,
  );
  const score = Number((1 / (1 + Math.exp(-odds))).toFixed(4));
  return { text, score, label: score >= 0.5 ? "positive" : "negative" };
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}+/gu));
}
