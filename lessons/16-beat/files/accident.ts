import type { Review } from "./sentiment.ts";

/** What an export script did one night: it mixed up two columns, so that every label says the opposite. */
export function swapLabels(reviews: Review[]): Review[] {
  return reviews.map((review) => ({ ...review, label: review.label === "pos" ? "neg" : "pos" }));
}
