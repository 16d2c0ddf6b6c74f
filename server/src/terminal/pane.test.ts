import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BrowserTerminal } from "../../test/browser-terminal.ts";
import {
  anEnvironment,
  aPane,
  linesOf,
  untilPane,
  untilPrinted,
  untilShown,
  workingRungs,
} from "../../test/panes.ts";
import { choosePty } from "./choose-pty.ts";
import type { Pane } from "./pane.ts";
import { listProcesses } from "./processes.ts";

// Real shells, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

const rungs = await workingRungs();
const QUICK = { warmMs: 300, coldMs: 300, interactiveMs: 300 };

test("given this machine, when the ways to a terminal are tried, then the best one that works is taken", async () => {
  const best = await choosePty({ env: anEnvironment(), log: { debug() {}, info() {}, warn() {} } });

  expect(best.rung).toBe(rungs[0]?.rung);
  expect(rungs.map(({ rung }) => rung)).toContain("pipes");
});

describe.each(rungs)("given panes by $rung", (pty) => {
  let pane: Pane;
  beforeAll(async () => {
    pane = await aPane({ pty, patience: QUICK });
  });
  afterAll(() => pane[Symbol.asyncDispose]());

  test.each([0, 1, 2, 42, 130, 255])(
    "when a command ends with %i, then that is how it ended",
    async (exit) => {
      expect(await pane.run(`sh -c 'exit ${exit}'`)).toMatchObject({ exit });
      expect(pane.state).toMatchObject({ phase: "idle", exit });
    },
  );

  test("when short commands end right after their output, then not one tail is lost in a hundred", async () => {
    for (let round = 0; round < 100; round += 1) {
      const lines = linesOf(pane);
      await pane.run(`seq 1 40; echo end-${round}`);
      pane.events.removeAllListeners("line");
      expect(lines.slice(-2), `round ${round}`).toEqual(["40", `end-${round}`]);
      expect(lines).toHaveLength(41);
    }
  });

  test("when Ctrl-C is pressed, then the program ends with 130 and the shell goes on", async () => {
    const asleep = untilPrinted(pane, /asleep/);
    const run = pane.run("sh -c 'echo asleep; exec sleep 60'");
    await asleep;
    pane.interrupt();

    expect(await run).toMatchObject({ exit: 130 });
    expect(await pane.text()).toContain("^C");
    expect(await pane.run("true")).toMatchObject({ exit: 0 });
  });

  test("when a command has several lines, then they run as one, in this shell, and their end is reported once", async () => {
    const lines = linesOf(pane);

    const end = await pane.run("cd /usr\nMARK='two words'\nsh -c 'exit 3'");
    await pane.run('echo "$PWD $MARK"');

    expect(end).toMatchObject({ exit: 3 });
    expect(lines.at(-1)).toBe("/usr two words");
  });

  test("when a line is no valid command, then it ends with 2 and the shell goes on", async () => {
    expect((await pane.run("if then")).exit).toBe(2);
    expect(await pane.run("echo fine")).toMatchObject({ exit: 0 });
  });

  test("when characters of several bytes are printed one byte at a time, then they arrive whole", async () => {
    const lines = linesOf(pane);

    await pane.run(`for b in 303 274 360 237 216 211; do printf "\\\\$b"; done; echo`);

    expect(lines.at(-1)).toBe("ü🎉");
    expect(await pane.text()).toContain("ü🎉");
  });

  test("when a command is running, then a second one is refused and told what runs", async () => {
    const run = pane.run("sleep 60");
    await expect(pane.run("echo too soon")).rejects.toMatchObject({ code: "PANE_BUSY", command: "sleep 60" });
    await untilPane(pane, (state) => state.phase === "busy");
    await pane.stop();
    expect((await run).exit).toBe(130);
  });

  test("when a program ignores Ctrl-C, then stop ends it all the same, with its children", async () => {
    const ready = untilPrinted(pane, /ready/);
    const run = pane.run(`sh -c 'trap "" INT TERM; sleep 987654 & echo ready; while :; do sleep 1; done'`);
    await ready;

    await pane.stop();

    expect(await run).toMatchObject({ exit: 137 });
    expect(pane.state).toMatchObject({ phase: "idle", epoch: 1 });
  });

  test("when the shell exits, then the pane says so, refuses to run, and works again after a restart", async () => {
    await expect(pane.run("exit 3")).rejects.toMatchObject({ code: "PANE_CLOSED" });
    expect(pane.state).toMatchObject({ phase: "closed", reason: expect.stringContaining("exit code 3") });
    expect(await pane.text()).toContain("The shell is closed");
    await expect(pane.run("echo no")).rejects.toMatchObject({ code: "PANE_CLOSED" });

    await pane.restart("/usr/bin");

    const lines = linesOf(pane);
    await pane.run("pwd");
    expect(lines.at(-1)).toBe("/usr/bin");
    expect(pane.state).toMatchObject({ phase: "idle", epoch: 2 });
  });

  test("when the learner's secrets are looked for in the shell, then none is there, and no open file but its own", async () => {
    const lines = linesOf(pane);

    await pane.run("env");

    const names = lines.map((line) => line.split("=", 1)[0]);
    expect(names).toContain("PATH");
    expect(
      names.filter((name) => /npm_|VITEST|NODE_|PROMPT_COMMAND|INPUTRC|ZDOTDIR|^ENV$/.test(name ?? "")),
    ).toEqual([]);
  });
});

describe.each(rungs.filter(({ rung }) => rung !== "pipes"))("given a terminal by $rung", (pty) => {
  test("when the pane is resized, then the program knows", async () => {
    await using pane = await aPane({ pty, cols: 60, rows: 12 });
    const lines = linesOf(pane);

    await pane.run("tput cols; stty size");
    pane.resize(101, 33);
    await pane.run('until [ "$(stty size)" = "33 101" ]; do sleep 0.01; done; tput cols');

    expect(lines).toEqual(["60", "12 60", "101"]);
  });

  test("when the learner has half a command at the prompt, then a step's command is not mixed with it", async () => {
    await using pane = await aPane({ pty });
    const lines = linesOf(pane);
    const leftovers = [
      ["echo half ", "echo half "],
      ["echo 'open quote\r", ">\x1b"],
      ["\x12sleep", "search"],
      ["rm -rf \x1b[D\x1b[D", "rm -rf "],
    ] as const;
    for (const [typed, shown] of leftovers) {
      const seen = untilShown(pane, shown);
      pane.write(typed);
      await seen;
      await pane.run("echo whole");
    }

    expect(lines.filter((line) => line !== "> ^C")).toEqual(["whole", "whole", "whole", "whole"]);
  });

  test("when the learner types a command, then the pane knows it and how it ended", async () => {
    await using pane = await aPane({ pty });
    const busy = untilPane(pane, (state) => state.phase === "busy");

    pane.write("sh -c 'exit 4'\r");

    expect(await busy).toMatchObject({ command: "sh -c 'exit 4'" });
    expect(await untilPane(pane, (state) => state.phase === "idle")).toMatchObject({ exit: 4 });
    expect(pane.lastCommand).toBe("sh -c 'exit 4'");
  });

  test("when a command is only typed, then it runs at the learner's Enter", async () => {
    await using pane = await aPane({ pty });

    await pane.type("echo typed");
    const printed = untilPrinted(pane, /^typed$/);
    pane.write(" for real\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\r");

    await printed;
  });

  test("when a program reads single keys, then stop does not wait for it to take Ctrl-C as a signal", async () => {
    await using pane = await aPane({ pty, patience: { warmMs: 60_000, coldMs: 2000, interactiveMs: 300 } });
    const ready = untilPrinted(pane, /> $/);
    const run = pane.run("node -i");
    await ready;

    await pane.stop();

    expect((await run).exit).not.toBe(0);
  });

  test("when a program asks the terminal, then it is answered once, whoever watches", async () => {
    await using pane = await aPane({ pty });
    const browser = new BrowserTerminal();
    browser.terminal.onData((data) => pane.write(data));
    pane.events.on("output", (bytes) => browser.terminal.write(bytes));
    const lines = linesOf(pane);

    await pane.run(
      `stty -icanon -echo min 0 time 3; printf '\\033[5n'; sleep 0.2; dd bs=100 count=1 2>/dev/null | od -c | head -1; stty sane`,
    );

    expect(browser.answers).toContain("\x1b[0n");
    expect(lines.filter((line) => line.includes("033")).map((line) => line.replaceAll(/\s+/g, " "))).toEqual([
      "0000000 033 [ 0 n",
    ]);
  });

  test("when a program asks what could be answered with text of its choice, then nothing is typed", async () => {
    await using pane = await aPane({ pty });
    const lines = linesOf(pane);
    const queries = [
      "]52;c;?\\a",
      "]0;rm -rf\\a\\033[21t",
      "]10;?\\a",
      "]4;1;?\\a",
      "P$qm\\033\\\\",
      "[>q",
      "[?2026$p",
      "[18t",
    ];

    const printed = queries.map((query) => `\\033${query}`).join("");
    await pane.run(
      `stty -icanon -echo min 0 time 3; printf '${printed}'; sleep 0.2; dd bs=100 count=1 2>/dev/null | wc -c; stty sane`,
    );

    expect(lines.map((line) => line.trim()).at(-1)).toBe("0");
  });
});

describe.each(rungs)("given a closed pane by $rung", (pty) => {
  test("when it had programs in all positions, then none of them is left", async () => {
    const marker = `PLAYGROUND_TEST=${process.pid}-${pty.rung}`;
    const pane = await aPane({
      pty,
      env: { ...anEnvironment(), PLAYGROUND_TEST: marker.split("=")[1] ?? "" },
    });
    await pane.run("sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & true");
    const ready = untilPrinted(pane, /^ready$/);
    const run = pane
      .run(`sh -c 'trap "" HUP INT TERM; setsid sleep 1002 & sleep 1003 & echo ready; wait'`)
      .catch((error: unknown) => error);
    await ready;
    expect(await marked(marker)).toBeGreaterThanOrEqual(5);

    await pane[Symbol.asyncDispose]();

    expect(await run).toMatchObject({ code: "PANE_CLOSED" });
    expect(await marked(marker)).toBe(0);
  });
});

/** How many living processes carry this in their environment. */
async function marked(entry: string): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")),
  );
  const living = new Set((await listProcesses()).map(({ pid }) => String(pid)));
  return pids.filter((pid, index) => living.has(pid) && environments[index]?.split("\0").includes(entry))
    .length;
}
