import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../test/support/until.ts";
import { childPids, startCelery } from "../../test/support/worker-process.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "celery-test-broken-"));
  await writeFile(join(dir, "package.json"), '{"type": "module"}');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test.each([
  {
    what: "a syntax error",
    text: "export const x = 1;\nexport const y = (;\n",
    says: /tasks\.ts:2:\d+ has a syntax error/,
  },
  {
    what: "a missing import",
    text: 'import { app } from "./app.ts";\nexport { app };\n',
    says: /cannot find "app\.ts"/,
  },
  {
    what: "an error at import",
    text: "\nthrow new RangeError('no');\n",
    says: /tasks\.ts:2:\d+ stopped while it was loaded/,
  },
  { what: "no app", text: "export const x = 1;\n", says: /exports no app and no task \(it exports x\)/ },
  { what: "no file", text: undefined, says: /There is no module "tasks" in / },
])(
  "given $what, when a worker is started, then it says where and ends with 2, as Celery, without a stack of ours",
  async ({ text, says }) => {
    if (text !== undefined) await writeFile(join(dir, "tasks.ts"), text);
    await using worker = startCelery({ args: ["-A", "tasks", "worker", "-c", "2"], cwd: dir });

    expect(await worker.exited).toBe(2);

    await until(() => says.test(worker.lines.join("\n")), 5000);
    expect(worker.lines.filter((line) => /^\s+at /.test(line))).toEqual([]);
    await expect(childPids(worker.pid)).rejects.toThrow("ENOENT");
  },
);

test.each([
  { what: "that loops for ever", text: "while (true) {}\n" },
  { what: "that waits for ever", text: "await new Promise((resolve) => setTimeout(resolve, 1e9));\n" },
])(
  "given a module $what, when a worker loads it, then it says so after 5 seconds, and Ctrl-C ends it and its children",
  async ({ text }) => {
    await writeFile(join(dir, "tasks.ts"), text);
    await using worker = startCelery({ args: ["-A", "tasks", "worker", "-c", "2"], cwd: dir });
    await worker.line(/^tasks has been loading for 5 seconds\. .*Ctrl-C stops it\.$/);
    const children = await childPids(worker.pid);
    expect(children.length).toBe(2);

    worker.killGroup("SIGINT");

    expect(await worker.exited).toBe("SIGINT");
    await until(() => children.every((pid) => !existsSync(`/proc/${pid}`)), 5000);
  },
);
