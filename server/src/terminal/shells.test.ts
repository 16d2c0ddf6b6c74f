import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import {
  anEnvironment,
  aPane,
  linesOf,
  untilPane,
  untilPrinted,
  untilShown,
  workingRungs,
} from "../../test/panes.ts";
import { findProgram } from "./find-program.ts";
import type { ShellKind } from "./shell.ts";
import { bashScript } from "./shell-scripts.ts";

// Real shells, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

const rungs = await workingRungs();
const home = await mkdtemp(join(tmpdir(), "celery-playground-home-"));
afterAll(() => rm(home, { recursive: true, force: true }));

const shells: ShellKind[] = [];
for (const kind of ["bash", "zsh", "sh"] as const) {
  if ((await findProgram(kind, process.env["PATH"])) !== undefined) shells.push(kind);
}

describe.each(rungs.flatMap((pty) => shells.map((shell) => ({ pty, shell, rung: pty.rung }))))(
  "given $shell by $rung",
  ({ pty, shell }) => {
    test("when commands run, then their ends, lines and variables are as in any shell", async () => {
      await using pane = await aPane({ pty, shell });
      const lines = linesOf(pane);

      const ends = [
        await pane.run("sh -c 'exit 42'"),
        await pane.run("cd /usr\nX='a;b'"),
        await pane.run('echo "$PWD $X"'),
      ];

      expect(ends.map(({ exit }) => exit)).toEqual([42, 0, 0]);
      expect(lines).toEqual(["/usr a;b"]);
      expect(pane.lastCommand).toBe('echo "$PWD $X"');
    });

    test("when Ctrl-C is pressed, then the command ends with 130", async () => {
      await using pane = await aPane({ pty, shell });
      const ready = untilPrinted(pane, /^asleep$/);
      const run = pane.run("sh -c 'echo asleep; exec sleep 60'");
      await ready;

      pane.interrupt();

      expect(await run).toMatchObject({ exit: 130 });
    });
  },
);

const native = rungs.find(({ rung }) => rung !== "pipes");

describe.skipIf(native === undefined)("given a learner with settings of their own", () => {
  test.each(shells)("when %s starts, then none of them is read", async (shell) => {
    const spoil = "echo SPOILT; PS1='spoilt '; alias ls='echo spoilt'; exit 3\n";
    for (const name of [".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".shrc"]) {
      await writeFile(join(home, name), spoil);
    }
    await writeFile(join(home, ".inputrc"), "set editing-mode vi\n");
    await writeFile(join(home, ".bash_history"), "secret of yesterday\n");
    const env = { ...anEnvironment(), HOME: home, ENV: join(home, ".shrc") };
    await using pane = await aPane({ pty: native, shell, env });
    const lines = linesOf(pane);

    await pane.run("ls -d /usr; history 2>/dev/null");

    expect(lines).toContain("/usr");
    expect(`${await pane.text()}${lines.join("\n")}`).not.toMatch(/spoilt|yesterday/i);
  });
});

describe.skipIf(native === undefined || process.platform !== "linux")("given panes side by side", () => {
  test.each(shells.filter((shell) => shell !== "sh"))(
    "when %s starts a program, then it has no other pane's terminal",
    async (shell) => {
      await using _first = await aPane({ pty: native });
      await using _second = await aPane({ pty: native, id: "broker" });
      await using pane = await aPane({ pty: native, id: "producer", shell });
      const lines = linesOf(pane);

      await pane.run("ls -l /proc/self/fd");

      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => line.includes("ptmx"))).toEqual([]);
      if (shell === "bash") expect(lines.filter((line) => line.includes("->")).length).toBeLessThanOrEqual(4);
    },
  );
});

describe.skipIf(native === undefined)("given bash by a terminal", () => {
  test("when the shell is restarted, then the commands typed before are still a key away", async () => {
    await using pane = await aPane({ pty: native, shell: "bash" });
    await pane.run("echo remembered");
    await pane.restart();
    await untilPane(pane, (state) => state.phase === "idle");

    const shown = untilShown(pane, "echo remembered");
    pane.write("\x1b[A");

    await shown;
  });

  test("when it is too old to say that a command begins at the prompt, then its DEBUG trap does", async () => {
    const folder = await mkdtemp(join(home, "old-"));
    const script = bashScript({ pane: "worker", secret: "s", history: join(folder, "history") });
    await writeFile(join(folder, "rc"), script.replace(">= 404", ">= 9999"));
    await using pane = await aPane({ pty: native, shell: "bash" });
    const marks = untilShown(pane, "133;D;7;key=s");
    let output = "";
    pane.events.on("output", (bytes) => (output += Buffer.from(bytes).toString()));

    const run = pane.run(`PROMPT_COMMAND='. ${join(folder, "rc")}' bash --noprofile --norc -i`);
    await untilShown(pane, "133;B;key=s");
    pane.write("sh -c 'exit 7'\r");
    await marks;
    pane.write("exit\r");
    await run;

    expect(output).toContain("\x1b]133;C;key=s;");
    expect(output.split("133;C;key=s;")[1]).toContain("sh -c 'exit 7'");
    expect(output.split("133;C;key=s;")).toHaveLength(3);
  });
});
