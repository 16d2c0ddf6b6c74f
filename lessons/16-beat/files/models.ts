import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Model } from "./sentiment.ts";

/** The model that scores reviews now. `right` is how many of the 60 held-out reviews it labels rightly. */
export interface Serving {
  readonly version: number;
  readonly right: number;
  readonly model: Model | null;
}

export function serving(): Serving {
  if (!existsSync("model.json")) return { version: 0, right: 0, model: null };
  return JSON.parse(readFileSync("model.json", "utf8")) as Serving;
}

/** Puts a model in charge and returns its version. The rename means that no reader ever finds half a file. */
export function promote(model: Model, right: number): number {
  const version = serving().version + 1;
  writeFileSync("model.json.new", JSON.stringify({ version, right, model }));
  renameSync("model.json.new", "model.json");
  return version;
}

/** The nights whose new reviews have come in. We have four nights' worth; the fifth night begins again with one. */
export function nightsSoFar(): string[] {
  appendFileSync("nights.log", `${new Date().toISOString()}\n`);
  const nights = readFileSync("nights.log", "utf8").trimEnd().split("\n").length;
  return ["night-1", "night-2", "night-3", "night-4"].slice(0, ((nights - 1) % 4) + 1);
}
