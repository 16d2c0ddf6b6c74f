import { type Model, type Review, scorer, train } from "./sentiment.ts";

/** How many of the reviews the model labels as their author did. "unsure" counts as wrong. */
export function countRight(model: Model, reviews: readonly Review[]): number {
  const score = scorer(model);
  return reviews.filter(({ text, label }) => score(text).label.startsWith(label)).length;
}

/** Where the true share probably lies (Wilson's interval, 95 %): few reviews, wide interval. */
export function interval(right: number, of: number): { low: number; high: number } {
  const z = 1.96;
  const share = right / of;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return { low: middle - half, high: middle + half };
}

/** How far a search is. `alpha` is the best value so far. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly alpha: number;
}

const ALPHAS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5];
const FOLDS = 5;

/**
 * Looks for the alpha that labels unseen reviews best: train on four fifths, try the last fifth, change places,
 * shuffle, repeat. Real work for the processor: `rounds` × 50 trainings. Yields after every round.
 */
export function* searchAlpha(reviews: readonly Review[], rounds: number): Generator<Progress> {
  const random = seededRandom(42);
  const right = ALPHAS.map(() => 0);
  for (let round = 1; round <= rounds; round++) {
    const folds = deal(reviews, random);
    for (const fold of folds) {
      const rest = folds.filter((other) => other !== fold).flat();
      ALPHAS.forEach((alpha, i) => {
        right[i] = (right[i] ?? 0) + countRight(train(rest, alpha), fold);
      });
    }
    yield { done: round, total: rounds, alpha: ALPHAS[right.indexOf(Math.max(...right))] ?? 1 };
  }
}

/** Deals the groups out to the folds in random order. Reviews of one group stay together, or the test would cheat. */
function deal(reviews: readonly Review[], random: () => number): Review[][] {
  const folds: Review[][] = Array.from({ length: FOLDS }, () => []);
  const groups = [...new Set(reviews.map((review) => review.group))]
    .map((group) => ({ group, place: random() }))
    .sort((a, b) => a.place - b.place);
  const foldOf = new Map(groups.map(({ group }, i) => [group, folds[i % FOLDS]]));
  for (const review of reviews) foldOf.get(review.group)?.push(review);
  return folds;
}

/** Numbers in [0, 1) that look random and are the same on every machine (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
