#!/usr/bin/env node
// The `celery` command. Starts what `npm run build` made, on any Node from 20.19 on.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (!existsSync(main)) {
  process.stderr.write(
    "Error: celery is not built yet. Run `npm run build` in the project's folder first.\n",
  );
  process.exit(1);
}
// Node 22.8 and later keep compiled code between starts.
nodeModule.enableCompileCache?.();
const { runCommandLine } = await import(main.href);
const status = await runCommandLine(process);
// Not by itself: what a task or a learner's module left open must not keep a finished command alive.
process.stdout.write("", () => process.exit(status));
