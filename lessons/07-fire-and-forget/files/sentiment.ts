import { readFileSync } from "node:fs";

/*
 * A small, real sentiment model: multinomial naive Bayes over the words of a review. A word counts once per review.
 * Training is counting; scoring adds up how much each word leans to one side. Nothing here is made up or random.
 */

export type Label = "pos" | "neg";

/** One line of `reviews.tsv`. `part` says what it may be used for, `group` keeps two reviews of one thing together. */
export interface Review {
  readonly id: string;
  readonly part: string;
  readonly group: string;
  readonly label: Label;
  readonly text: string;
}

/** Plain JSON: in how many reviews of each label a word was seen. */
export interface Model {
  readonly alpha: number;
  readonly reviews: Record<Label, number>;
  readonly words: Record<string, Record<Label, number>>;
}

/** `score` is the probability of "positive". `because` names the words that decided, strongest first. */
export interface Score {
  readonly text: string;
  readonly score: number;
  readonly label: "positive" | "negative" | "unsure";
  readonly because: readonly string[];
}

export function readReviews(path = "reviews.tsv"): Review[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => {
    const [id = "", part = "", group = "", label, text = ""] = line.split("\t");
    return { id, part, group, label: label as Label, text };
  });
}

/** Reviews of the named parts, such as `"train"`, `"held-out"`, `"night-1"`. */
export function pick(reviews: readonly Review[], ...parts: string[]): Review[] {
  return reviews.filter((review) => parts.includes(review.part));
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}+/gu));
}

/** Learns from reviews. `alpha` is how many times we pretend to have seen every word already. */
export function train(reviews: readonly Review[], alpha = 1): Model {
  const model: Model = { alpha, reviews: { pos: 0, neg: 0 }, words: Object.create(null) };
  for (const { label, text } of reviews) {
    model.reviews[label] += 1;
    for (const word of wordsOf(text)) (model.words[word] ??= { pos: 0, neg: 0 })[label] += 1;
  }
  return model;
}

/** How far a word pushes towards positive (above 0) or negative, as a logarithm of odds. */
function weigher(model: Model): (word: string) => number {
  const seen = Object.values(model.words);
  const total = (label: Label): number =>
    seen.reduce((sum, counts) => sum + counts[label], 0) + model.alpha * seen.length;
  const base = Math.log(total("neg") / total("pos"));
  return (word) => {
    const counts = model.words[word];
    return counts ? Math.log((counts.pos + model.alpha) / (counts.neg + model.alpha)) + base : 0;
  };
}

/** A function that scores one text after another with the same model. */
export function scorer(model: Model): (text: string) => Score {
  const weigh = weigher(model);
  const prior = Math.log(model.reviews.pos / model.reviews.neg);
  return (text) => {
    const known = [...wordsOf(text)].filter((word) => Object.hasOwn(model.words, word));
    const weights = known.map((word) => ({ word, weight: weigh(word) }));
    const odds = weights.reduce((sum, { weight }) => sum + weight, prior);
    const score = Number((1 / (1 + Math.exp(-odds))).toFixed(4));
    const label = known.length === 0 ? "unsure" : odds >= 0 ? "positive" : "negative";
    return { text, score, label, because: strongest(weights) };
  };
}

function strongest(weights: { word: string; weight: number }[]): string[] {
  return weights
    .filter(({ weight }) => Math.abs(weight) >= 0.05)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .slice(0, 3)
    .map(({ word, weight }) => `${word} ${weight < 0 ? "-" : "+"}${Math.abs(weight).toFixed(1)}`);
}
