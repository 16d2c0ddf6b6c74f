import { parseArgs } from "node:util";
import { SCENARIOS } from "./scenarios.ts";

export interface Options {
  readonly rounds: number;
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  /** Names of systems; empty: all. */
  readonly systems: readonly string[];
  readonly quick: boolean;
  readonly json: string;
}

export const HELP = `Usage: npm run bench -- [scenario …] [options]

Measures this project, Celery, BullMQ, bee-queue, celery-node and a bare loop against one Redis of its own.
Scenarios: ${SCENARIOS.map(({ name }) => name).join(", ")}; all of them when none is named.

  --rounds N        how often each system is measured, one after the other (default 5)
  --systems A,B     only these, e.g. ours-async,bullmq-50,bare
  --quick           two rounds of a quarter of the tasks: to see that it works, not to quote
  --json FILE       where the figures go (default bench/results/latest.json; nowhere when only a part is run)
  --help            this text
`;

const DEFAULT_FILE = new URL("results/latest.json", import.meta.url).pathname;

/** @throws Error naming the option that cannot be. */
export function parseOptions(args: readonly string[]): Options | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: "string" },
      systems: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const only = positionals;
  const known = SCENARIOS.map(({ name }) => name);
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`There is no scenario ${unknown.join(", ")}. There are ${known.join(", ")}.`);
  }
  const systems = list(values.systems);
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: a whole number is expected.`);
  // Only a whole run is worth keeping.
  const isWhole = !values.quick && only.length === 0 && systems.length === 0;
  return { rounds, only, systems, quick: values.quick, json: values.json ?? (isWhole ? DEFAULT_FILE : "") };
}

function list(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}
