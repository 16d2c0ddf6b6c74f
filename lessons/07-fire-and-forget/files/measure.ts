import { countRight, interval } from "./evaluate.ts";
import { pick, readReviews, train } from "./sentiment.ts";

const reviews = readReviews();
const model = train(pick(reviews, "train"));

function line(part: string, remark: (right: number, of: number) => string): string {
  const texts = pick(reviews, part);
  const right = countRight(model, texts);
  return `${part.padEnd(10)} ${right} of ${texts.length} right: ${remark(right, texts.length)}`;
}

function range(right: number, of: number): string {
  const { low, high } = interval(right, of);
  return `with so few, the true share is probably ${Math.round(low * 100)} to ${Math.round(high * 100)} %`;
}

console.log(line("train", () => "it learned from these, so this says little"));
console.log(line("held-out", range));
console.log(line("challenge", () => "negation, sarcasm, slang, written to trip it up"));
