import type { Judged } from "./goals.ts";
import type { Failure, Results } from "./results.ts";
import type { Scenario } from "./scenarios.ts";
import type { Summary } from "./statistics.ts";
import type { System } from "./systems.ts";

/** Columns of a scenario's table: metric → heading. */
const COLUMNS: Readonly<Record<string, readonly (readonly [metric: string, heading: string])[]>> = {
  drain: [
    ["rate", "tasks/s"],
    ["workerCpuUs", "worker µs"],
    ["redisCpuUs", "Redis µs"],
    ["commands", "commands"],
    ["scripts", "script calls"],
  ],
  enqueue: [
    ["awaited", "awaited/s"],
    ["concurrent", "concurrent/s"],
    ["bulk", "bulk/s"],
  ],
  "round-trip": [
    ["p50", "p50 ms"],
    ["p95", "p95 ms"],
    ["p99", "p99 ms"],
  ],
  start: [["ms", "ms"]],
  idle: [
    ["commandsPerSecond", "commands/s"],
    ["cpuPercent", "% core"],
    ["residentMb", "MB"],
  ],
  growth: [
    ["residentMbBefore", "MB before"],
    ["residentGrowthMb", "MB more"],
    ["heapMbBefore", "heap before"],
    ["heapGrowthMb", "heap more"],
  ],
  gets: [
    ["connectionGrowth", "connections"],
    ["subscriptionGrowth", "subscriptions"],
    ["heapGrowthMb", "heap MB more"],
  ],
};

/** A table per scenario: the median, and from–to when there was more than one round. */
export function renderScenario(scenario: Scenario, systems: readonly System[], results: Results): string {
  const columns = COLUMNS[scenario.name] ?? [];
  const rows = systems.map((system) => [
    system.title,
    ...columns.map(([metric]) => cell(results.summary(scenario.name, system.name, metric))),
  ]);
  return `\n${scenario.name}: ${scenario.about}\n${table([["", ...columns.map(([, heading]) => heading)], ...rows])}`;
}

export function renderFailures(failures: readonly Failure[]): string {
  if (failures.length === 0) return "";
  const lines = failures.map(
    ({ scenario, system, round, reason }) =>
      `  ${scenario}, ${system}, round ${round + 1}: ${reason.replaceAll("\n", "\n    ")}\n`,
  );
  return `\nnot measured\n${lines.join("")}`;
}

export function renderGoals(judged: readonly Judged[]): string {
  const rows = judged.map(({ text, value, goal, isMet }) => [
    text,
    goal,
    cell(value),
    isMet === undefined ? "not measured" : isMet ? "yes" : "NO",
  ]);
  const missed = judged.filter(({ isMet }) => isMet !== true).length;
  const summary = `${judged.length - missed} of ${judged.length} goals reached`;
  return `\ngoals: the median of this run (from–to)\n${table([["", "goal", "seen", "reached"], ...rows])}  ${summary}\n`;
}

function cell(summary: Summary | undefined): string {
  if (!summary) return "–";
  const { median, min, max } = summary;
  return min === max ? format(median) : `${format(median)} (${format(min)}–${format(max)})`;
}

/** Three digits that matter; whole numbers from a hundred on. */
function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return rows.map((row) => `  ${line(row)}\n`).join("");
}
