import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

// Among the tests with Redis because these have the built command, which is what meets people's files.
const home = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-typescript-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(home, join(folder, "node_modules/celery"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function report(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const args = [join(home, "bin/celery.mjs"), "-A", "tasks", "report"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return stdout;
}

const APP =
  'import { Celery } from "celery";\nexport const app = new Celery("tasks", { task_default_queue: queue() });\n';

test.each([
  ["no package.json", {}],
  ["a package.json that says nothing", { "package.json": "{}" }],
  ["a package.json that says module", { "package.json": '{"type":"module"}' }],
])(
  "given a folder with %s, when an app in TypeScript is loaded, then its modules are read as they are written",
  async (_what, files) => {
    const stdout = await report({
      ...files,
      "tasks.ts": `import { queue } from "./queue.ts";\n${APP}`,
      "queue.ts": 'export function queue(): string {\n  return "typed";\n}\n',
    });
    expect(stdout).toContain('task_default_queue: "typed"');
  },
);

test("given an error in an app in TypeScript, when it is loaded, then the line is the one that was written", async () => {
  const files = {
    "tasks.ts": `interface Unused {\n  a: string;\n}\nfunction queue(): string {\n  throw new Error("oh no");\n}\n${APP}`,
  };
  await expect(report(files)).rejects.toThrow(/tasks\.ts:5:\d+ stopped while it was loaded/);
});
