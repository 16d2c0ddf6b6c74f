import { join } from "node:path";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";
import { type Chunk, INITIAL_SCRIPT_LIMIT_BYTES, measureInitialScript } from "./initial-script.ts";

const chunk = (fileName: string, imports: readonly string[], isEntry = false): Chunk => ({
  type: "chunk",
  fileName,
  code: `console.log("${fileName}");`,
  isEntry,
  imports,
});

test("given chunks that load later, when the start is measured, then only what the entry needs is counted", () => {
  const measured = measureInitialScript([
    chunk("entry.js", ["shared.js"], true),
    chunk("shared.js", ["entry.js"]),
    chunk("later.js", ["shared.js"]),
    { type: "asset", fileName: "style.css" },
  ]);

  expect(measured.files).toEqual(["entry.js", "shared.js"]);
  expect(measured.gzipBytes).toBeGreaterThan(0);
});

test("given the page as it is, when it is built, then a lesson is readable within 150 KB of script", async () => {
  const root = join(import.meta.dirname, "..");

  const result = (await build({
    root,
    logLevel: "silent",
    build: { write: false },
  })) as Rolldown.RolldownOutput;
  const { files, gzipBytes } = measureInitialScript(result.output);

  expect(gzipBytes).toBeLessThan(INITIAL_SCRIPT_LIMIT_BYTES);
  expect(files.filter((name) => /xterm|code-editor/.test(name))).toEqual([]);
}, 60_000);
