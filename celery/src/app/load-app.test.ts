import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/** What `loadApp` made of one case. */
interface Loaded {
  readonly main?: string;
  readonly tasks?: readonly string[];
  readonly code?: string;
  readonly message?: string;
}

const door = new URL("../index.ts", import.meta.url).pathname;
const anApp = (name = "tasks", before = "export const app"): string =>
  `import { Celery } from ${JSON.stringify(door)};\n${before} = new Celery(${JSON.stringify(name)});\n`;

const found: readonly (readonly [what: string, spec: string, files: Record<string, string>, main: string])[] =
  [
    ["tasks.ts", "tasks", { "tasks.ts": anApp() }, "tasks"],
    [
      "tasks.mjs",
      "tasks",
      { "tasks.mjs": 'import "./real.ts"; export { app } from "./real.ts";', "real.ts": anApp() },
      "tasks",
    ],
    ["a folder's index", "tasks", { "tasks/index.ts": anApp() }, "tasks"],
    ["a module in a folder", "shop.tasks", { "shop/tasks.ts": anApp() }, "tasks"],
    ["a path", "./shop/tasks.ts", { "shop/tasks.ts": anApp() }, "tasks"],
    ["an export called celery", "tasks", { "tasks.ts": anApp("b", "export const celery") }, "b"],
    ["any exported app", "tasks", { "tasks.ts": anApp("c", "export const queue") }, "c"],
    [
      "a named export",
      "tasks:other",
      { "tasks.ts": `${anApp("d")}${anApp("e", "export const other").split("\n")[1]}` },
      "e",
    ],
    [
      "the app of an exported task",
      "tasks",
      { "tasks.ts": `${anApp("f", "const app")}export const add = app.task("add", () => 1);` },
      "f",
    ],
    [
      "a module with its includes",
      "app",
      {
        "app.ts": anApp().replace('("tasks")', '("inc", { include: ["more"] })'),
        "more.ts": 'import { app } from "./app.ts";\nexport const add = app.task("more.add", () => 1);',
      },
      "inc",
    ],
  ];

const failures: readonly (readonly [what: string, spec: string, text: string | null, message: RegExp])[] = [
  ["no such module", "taks", null, /There is no module "taks" in .*looked for taks\.ts.*\n.*--workdir/],
  [
    "no app in it",
    "tasks",
    "export const x = 1;",
    /exports no app and no task \(it exports x\)\.\nExport one: export const app/,
  ],
  [
    "no such export",
    "tasks:queue",
    "export const x = 1;",
    /has no app under the name "queue" \(it exports x\)/,
  ],
  [
    "a syntax error",
    "tasks",
    "const a = 1;\nconst b = ;\n",
    /tasks\.ts:2:\d+ has a syntax error\.\n.*\nMend that line/,
  ],
  [
    "an error while loading",
    "tasks",
    'const a = 1;\nthrow new Error("oh no");\n',
    /tasks\.ts:2:\d+ stopped while it was loaded\.\nError: oh no/,
  ],
  ["something else thrown", "tasks", "throw 'text';\n", /tasks\.ts threw text while it was loaded/],
  ["a missing file", "tasks", 'import "./nope.ts";\n', /tasks\.ts(:1:\d+)?: cannot find "(\.\/)?nope\.ts"/],
  ["a missing ending", "tasks", 'import "./nope";\n', /Imports of your own files need their ending/],
  [
    "a missing package",
    "tasks",
    'import "no-such-package";\n',
    /cannot find the package "no-such-package"\. Install it: npm install/,
  ],
  [
    "a bad setting",
    "tasks",
    anApp().replace('("tasks")', '("tasks", { task_tiem_limit: 1 })'),
    /tasks\.ts:2:\d+ .*\n.*Did you mean "task_time_limit"/,
  ],
];

/** Loads every case in one process, as `celery` does: without the test runner's own way of reading modules. */
const RUNNER = `
import { readFileSync } from "node:fs";
import { loadApp } from ${JSON.stringify(new URL("./load-app.ts", import.meta.url).href)};
const outcomes = [];
for (const { dir, spec } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const failed = ({ code, message }) => ({ code, message });
  const loaded = ({ main, tasks }) => ({ main, tasks: [...tasks.keys()] });
  outcomes.push(await loadApp(spec, dir).then(loaded, failed));
}
console.log(JSON.stringify(outcomes));
`;

let root: string;
let outcomes: readonly Loaded[];

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "celery-test-load-")));
  const cases = [
    ...found.map(([, spec, files]) => ({ spec, files })),
    ...failures.map(([, spec, text]) => ({ spec, files: text === null ? {} : { "tasks.ts": text } })),
  ];
  const places = cases.map(({ spec }, index) => ({ spec, dir: join(root, String(index)) }));
  for (const [index, { files }] of cases.entries()) {
    await mkdir(join(root, String(index)));
    for (const [name, text] of Object.entries(files)) {
      const path = join(root, String(index), name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }
  await writeFile(join(root, "package.json"), '{"type": "module"}'); // as the playground's workspaces have
  await writeFile(join(root, "runner.mts"), RUNNER);
  await writeFile(join(root, "places.json"), JSON.stringify(places));
  const args = ["--import", import.meta.resolve("tsx"), join(root, "runner.mts"), join(root, "places.json")];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  outcomes = JSON.parse(stdout) as readonly Loaded[];
}, 30_000);

afterAll(() => rm(root, { recursive: true, force: true }));

test.each(found.map(([what, , , main], index) => ({ what, main, index })))(
  "given $what, then that is the app",
  ({ main, index }) => {
    expect(outcomes[index]).toMatchObject({ main });
  },
);

test("given includes, then their tasks are registered", () => {
  expect(outcomes[found.length - 1]?.tasks).toEqual(["more.add"]);
});

test.each(failures.map(([what, , , message], index) => ({ what, message, index })))(
  "given $what, then the error says what, where, and what to do",
  ({ message, index }) => {
    const outcome = outcomes[found.length + index];
    expect(outcome).toMatchObject({ code: "APP_LOAD_ERROR" });
    expect(outcome?.message).toMatch(message);
  },
);
