// `npm run compat` runs the interop suite and writes docs/compatibility.md; with `--check REPORT.json` it compares the page with the
// report of a run that has been made, and writes nothing.
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { differences, readReport, render } from "./compatibility.mjs";

const root = new URL("..", import.meta.url).pathname;
const page = join(root, "docs", "compatibility.md");
const [option, file] = process.argv.slice(2);

if (option === "--check" && file) await check(file);
else if (option === undefined) await write();
else
  fail(
    "Usage: npm run compat            run the interop suite and write docs/compatibility.md\n       node scripts/compat.mjs --check REPORT.json",
    2,
  );

async function write() {
  const report = join(root, "test-results", "compat.json");
  await mkdir(join(root, "test-results"), { recursive: true });
  run("tsc", ["-b", "celery"]);
  const passed = run("vitest", [
    "run",
    "--project",
    "redis",
    "celery/test/interop",
    "--reporter=default",
    "--reporter=json",
    `--outputFile=${report}`,
  ]);
  const shown = await readShown(report);
  if (!passed || shown.failed.length > 0)
    fail("The interop suite failed, so docs/compatibility.md stays as it was.");
  await writeFile(page, render(shown, await leftOut()));
  process.stdout.write(`docs/compatibility.md: ${shown.rows.length} rows from ${shown.tests} tests\n`);
}

async function check(reportFile) {
  const shown = await readShown(reportFile);
  const committed = await readFile(page, "utf8").catch(() => "");
  const differing = differences(committed, render(shown, await leftOut()));
  if (differing.length === 0) {
    process.stdout.write(`docs/compatibility.md says what ${shown.tests} interop tests showed.\n`);
    return;
  }
  fail(
    `docs/compatibility.md (-) is not what the interop tests showed (+):\n${differing.join("\n")}\n` +
      (shown.failed.length > 0
        ? `These failed:\n${shown.failed.join("\n")}`
        : "If the tests are right, run `npm run compat` and commit the page."),
  );
}

async function readShown(reportFile) {
  const text = await readFile(reportFile, "utf8").catch(() => undefined);
  if (text === undefined)
    fail(
      `There is no report ${reportFile}: the run that should have written it did not end, or was not made. ` +
        "Run `npm run check -- redis compat`.",
    );
  return readReport(JSON.parse(text));
}

async function leftOut() {
  return JSON.parse(await readFile(join(root, "celery", "test", "interop", "left-out.json"), "utf8"));
}

function run(command, args) {
  return spawnSync("npx", [command, ...args], { cwd: root, stdio: "inherit" }).status === 0;
}

function fail(problem, status = 1) {
  process.stderr.write(`${problem}\n`);
  process.exit(status);
}
