// Everything CI runs, in the order in which it fails fastest. `npm run check -- unit lint` runs only those.
import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { countStep, countTests, sentence } from "./counts.mjs";
import { chromium } from "./prepare.mjs";

const root = new URL("..", import.meta.url).pathname;
const reports = join(root, "test-results");

const vitest = (project) => ({
  command: [
    "npx",
    "vitest",
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile=${reports}/${project}.json`,
  ],
  counts: `${project}.json`,
});

/** name → what to run; `counts` names the JSON report of a step that has tests. */
const STEPS = {
  format: { command: ["npx", "biome", "check", "--linter-enabled=false", "."] },
  build: { command: ["npm", "run", "--silent", "build"] },
  lint: { command: ["npx", "oxlint", "--type-aware"] },
  knip: { command: ["npm", "run", "--silent", "knip"] },
  publint: { command: ["npm", "run", "--silent", "publint"] },
  lessons: { command: ["npm", "run", "--silent", "lessons:lint"] },
  unit: vitest("unit"),
  redis: vitest("redis"),
  compat: { command: ["node", "scripts/compat.mjs", "--check", `${reports}/redis.json`] },
  courses: vitest("lessons"),
  browser: { command: ["npx", "playwright", "test"], counts: "browser.json" },
  faults: vitest("fault"),
};

const wanted = process.argv.slice(2);
if (wanted.some((name) => name.startsWith("-"))) help();
const unknown = wanted.filter((name) => !(name in STEPS));
if (unknown.length > 0) help(`There is no step "${unknown.join('", "')}".`);
await main(wanted.length > 0 ? wanted : Object.keys(STEPS));

async function main(names) {
  await rm(reports, { recursive: true, force: true });
  await mkdir(reports, { recursive: true });
  const results = [];
  for (const name of names) {
    const result = await step(name, STEPS[name]);
    results.push(result);
    // Nothing after the build can work without it.
    if (name === "build" && !result.ok) break;
  }
  summarize(results);
}

async function step(name, { command, counts }) {
  process.stdout.write(`\n━━ ${name}: ${command.slice(0, 3).join(" ")}\n`);
  const started = performance.now();
  const ok = (await run(command)) === 0;
  const seconds = (performance.now() - started) / 1000;
  const counted = counts ? countTests(await readReport(join(reports, counts)), ok) : countStep(ok);
  return { name, ok, seconds, counted };
}

function run([command, ...args]) {
  const env = {
    ...process.env,
    PLAYWRIGHT_JSON_OUTPUT_NAME: join(reports, "browser.json"),
    CHROMIUM_BIN: chromium() ?? "",
  };
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Both reporters write JSON; a run that died before its report has none. */
function readReport(file) {
  return readFile(file, "utf8").then(JSON.parse, () => undefined);
}

function summarize(results) {
  process.stdout.write("\n");
  for (const { name, ok, seconds, counted } of results) {
    const tests = STEPS[name].counts ? `  ${sentence([counted])}` : "";
    const mark = ok ? "✓" : "✕";
    process.stdout.write(`${mark} ${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s${tests}\n`);
  }
  process.stdout.write(`\n${sentence(results.map(({ counted }) => counted))}\n`);
  process.exit(results.some(({ counted }) => counted.failed > 0) ? 1 : 0);
}

function help(problem) {
  if (problem) process.stderr.write(`${problem}\n`);
  process.stdout.write(
    `Usage: npm run check -- [step…]\nSteps, in order: ${Object.keys(STEPS).join(", ")}\n`,
  );
  process.exit(problem ? 2 : 0);
}
