// From what the interop tests reported to docs/compatibility.md. Pure: files are read and written by compat.mjs.

/** The order of the table's parts; `Area` in celery/test/interop/compat.ts has the same. */
const AREAS = [
  "Values",
  "Calling",
  "Running",
  "Results",
  "Canvas",
  "Routing",
  "Beat",
  "Remote control",
  "Events",
  "Command line",
  "Flower",
  "Connections",
  "One fleet",
];

const DIRECTIONS = ["python → ours", "ours → python", "mixed"];
const SUITE = "/celery/test/interop/";

/**
 * What a vitest JSON report says of the interop suite.
 *
 * @returns `rows` in the order of the files and tests; `proven` per direction is true only when every test that names the row
 *   passed; `failed` names the tests of the suite that did not pass.
 */
export function readReport(report) {
  const files = report.testResults
    .filter(({ name }) => name.includes(SUITE))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = new Map();
  const failed = files.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  const found = { rows: [], versions: {}, failed: failed.map(({ name }) => name), tests: 0 };
  for (const test of files.flatMap(({ assertionResults }) => assertionResults)) {
    if (test.status === "failed") found.failed.push(test.fullName);
    if (test.status === "passed") found.tests += 1;
    Object.assign(found.versions, test.meta?.versions);
    for (const proof of test.meta?.proofs ?? []) addProof(rows, proof, test.status === "passed");
  }
  found.rows = [...rows.values()].sort((a, b) => AREAS.indexOf(a.area) - AREAS.indexOf(b.area));
  return found;
}

function addProof(rows, { area, feature, direction }, passed) {
  if (!AREAS.includes(area)) throw new Error(`scripts/compatibility.mjs knows no area "${area}".`);
  const key = `${area}\n${feature}`;
  const row = rows.get(key) ?? { area, feature, proven: {} };
  row.proven[direction] = passed && (row.proven[direction] ?? true);
  rows.set(key, row);
}

/** The page. @param leftOut `[{ area, what, why }]`: what Celery has and we do not. */
export function render({ rows, versions }, leftOut) {
  return `# What holds between this library and the real Celery

Written by \`npm run compat\` from the tests in [celery/test/interop](../celery/test/interop): don't edit it. They run the real Celery on one side and
this library on the other; a ✓ means that every test that names the row passed, in that direction. \`npm test\` fails when this page says
something else than the tests did.

${versionLine(versions)}

- **Python → ours**: Python sends, asks or watches; our worker, client or command answers.
- **ours → Python**: the other way round.
- **mixed**: both kinds do parts of the same work beside each other.

An empty cell is a direction that no test covers, mostly because there is nothing that could differ.

${rows.length === 0 ? "Nothing is proven.\n" : AREAS.map((area) => part(area, rows)).join("")}
## What Celery has and this library has not

| Part | What | Why |
|---|---|---|
${leftOut.map(({ area, what, why }) => `| ${area} | ${what} | ${why} |`).join("\n")}
`;
}

function versionLine(versions) {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Compared with ${names.join(", ") || "(no version was reported)"}.`;
}

function part(area, rows) {
  const own = rows.filter((row) => row.area === area);
  if (own.length === 0) return "";
  const cells = ({ proven }) => DIRECTIONS.map((direction) => (proven[direction] ? " ✓ " : "  ")).join("|");
  return `## ${area}

| Feature | Python → ours | ours → Python | mixed |
|---|:-:|:-:|:-:|
${own.map((row) => `| ${row.feature} |${cells(row)}|`).join("\n")}

`;
}

/**
 * How the committed page differs from what the tests showed: one sentence a difference. The versions do not count: a new Celery that
 * keeps its promises is no reason to fail.
 */
export function differences(committed, fresh) {
  const lines = (text) =>
    text.split("\n").filter((line) => line !== "" && !line.startsWith("Compared with "));
  const [before, now] = [lines(committed), lines(fresh)];
  return [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}
