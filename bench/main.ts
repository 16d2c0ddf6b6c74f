import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import { dirname } from "node:path";
import { GOALS, judge } from "./goals.ts";
import { type Lab, openLab } from "./lab.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { renderFailures, renderGoals, renderScenario } from "./report.ts";
import { Results } from "./results.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { allSystems, type System } from "./systems.ts";

const HERE = new URL(".", import.meta.url).pathname;

await main();

async function main(): Promise<void> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options === "help") process.stdout.write(HELP);
    else await bench(options);
  } catch (error) {
    process.stderr.write(`\nbench: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

async function bench(options: Options): Promise<void> {
  requireBuild();
  const systems = chooseSystems(options);
  await using lab = await openLab();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void lab[Symbol.asyncDispose]().then(() => process.exit(130)));
  }
  const results = new Results();
  for (const scenario of SCENARIOS) {
    if (!isWanted(scenario.name, options)) continue;
    const taking = systems.filter(({ name }) => scenario.systems.includes(name));
    await runScenario(scenario, taking, { lab, results, options });
    if (taking.length > 0) process.stdout.write(renderScenario(scenario, taking, results));
  }
  const goals = GOALS.map((goal) => judge(goal, results));
  process.stdout.write(renderFailures(results.failures));
  process.stdout.write(renderGoals(goals.filter(({ scenario }) => isWanted(scenario, options))));
  if (results.failures.length > 0) process.exitCode = 1;
  if (options.json === "") return;
  const record = { ...environment(), options, goals, failures: results.failures, samples: results.toJson() };
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(record, undefined, 2)}\n`);
}

function isWanted(scenario: string, { only }: Options): boolean {
  return only.length === 0 || only.includes(scenario);
}

interface Run {
  readonly lab: Lab;
  readonly results: Results;
  readonly options: Options;
}

/** Every round measures every system once, each time beginning with another: what disturbs, disturbs all alike. */
async function runScenario(
  scenario: Scenario,
  systems: readonly System[],
  { lab, results, options }: Run,
): Promise<void> {
  const rounds = Math.min(options.rounds, scenario.atMostRounds ?? Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round += 1) {
    for (const index of systems.keys()) {
      const system = systems[(index + round) % systems.length] as System;
      // Once is enough to know that it fails, and failing takes longest.
      if (results.hasFailed(scenario.name, system.name)) continue;
      process.stderr.write(`${scenario.name} ${round + 1}/${rounds} ${system.title}\n`);
      await measureOnce({ scenario, system, round }, { lab, results, options });
    }
  }
}

interface Measurement {
  readonly scenario: Scenario;
  readonly system: System;
  readonly round: number;
}

/** What goes wrong with one system is told, and the others are measured all the same. */
async function measureOnce(
  { scenario, system, round }: Measurement,
  { lab, results, options }: Run,
): Promise<void> {
  await lab.clear();
  try {
    const scale = options.quick ? 0.25 : 1;
    const sample = await lab.measure(scenario.limitSeconds * 1000, () =>
      scenario.measure(lab, system, scale),
    );
    results.add(scenario.name, system.name, round, sample);
  } catch (error) {
    const reason = (error as Error).message;
    process.stderr.write(`  failed: ${reason}\n`);
    results.failures.push({ scenario: scenario.name, system: system.name, round, reason });
  }
}

function chooseSystems({ systems: wanted }: Options): readonly System[] {
  const all = allSystems();
  const unknown = wanted.filter((name) => !all.some((system) => system.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `There is no system ${unknown.join(", ")}. There are ${all.map(({ name }) => name).join(", ")}.`,
    );
  }
  return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}

/** The packages that we compare with are the benchmark's own: nobody else needs them. */
function requireBuild(): void {
  if (!existsSync(new URL("../celery/dist/cli/main.js", import.meta.url))) {
    throw new Error("celery is not built yet. Run `npm run build` in the project's folder first.");
  }
  if (existsSync(`${HERE}node_modules/bullmq`)) return;
  process.stderr.write("Installing what is compared with (once): npm ci --prefix bench\n");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: HERE,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error("npm ci failed in bench/; see above.");
}

/** What the figures depend on. */
function environment(): Record<string, unknown> {
  const own = JSON.parse(readFileSync(`${HERE}package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  return {
    date: new Date().toISOString(),
    node: process.version,
    system: `${platform()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    redis: firstLine(process.env["REDIS_SERVER_BIN"] ?? "redis-server", ["--version"]),
    celery: pythonVersions(),
    packages: own.dependencies,
  };
}

function pythonVersions(): string {
  const python = allSystems().find(({ name }) => name === "celery-prefork")?.worker.command ?? "";
  return firstLine(python, [
    "-c",
    "import celery, kombu; print(celery.__version__, 'kombu', kombu.__version__)",
  ]);
}

function firstLine(command: string, args: readonly string[]): string {
  return spawnSync(command, args, { encoding: "utf8" }).stdout?.split("\n")[0] ?? "unknown";
}
