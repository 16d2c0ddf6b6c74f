import { searchAlpha } from "./evaluate.ts";
import { pick, readReviews, type Score, scorer, train } from "./sentiment.ts";

/** Trains 2,000 models to find the best setting, keeps one, and only then scores: a second or so of hard work. */
export function scoreSlowly(text: string): Pick<Score, "label" | "score"> {
  const reviews = pick(readReviews(), "train");
  let alpha = 1;
  for (const search of searchAlpha(reviews, 40)) alpha = search.alpha;
  const { label, score } = scorer(train(reviews, alpha))(text);
  return { label, score };
}
