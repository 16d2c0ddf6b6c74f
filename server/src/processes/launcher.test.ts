import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const WATCHER = `
import { launcherGone } from ${JSON.stringify(new URL("./launcher.ts", import.meta.url).href)};
const watch = launcherGone(new AbortController().signal, 50);
setInterval(() => undefined, 1000);
setTimeout(() => console.log("watching"), 200);
console.log(await watch);
process.exit(0);
`;

/** `npm` is the launcher here; with a shell between it and the watcher, as npm has it, or without. */
function launch(withShell: boolean): string {
  const shell = `require("node:child_process").spawn("/bin/sh", ["-c", process.argv[1] + "; true"], { stdio: "inherit" })`;
  const direct = `require("node:child_process").spawn(process.execPath, JSON.parse(process.argv[1]), { stdio: "inherit" })`;
  return `${withShell ? shell : direct}; setInterval(() => undefined, 1000);`;
}

test.each([
  ["a shell between them", true],
  ["nothing between them", false],
])(
  "given a launcher with %s, when it is killed, then the watcher notices",
  async (_, withShell) => {
    const args = ["--import", "tsx", "--input-type=module", "-e", WATCHER];
    const quoted = args.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(" ");
    const argument = withShell ? `"${process.execPath}" ${quoted}` : JSON.stringify(args);
    const launcher = spawn(process.execPath, ["-e", launch(withShell), argument], {
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: launcher.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("watching");

    launcher.kill("SIGKILL");
    await once(launcher, "exit");

    expect((await lines.next()).value).toBe("gone");
  },
  20_000,
);
