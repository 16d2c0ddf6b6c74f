import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { anEnvironment } from "../../test/panes.ts";
import { openShellHome } from "./shell.ts";

const secret = "00ff";

async function inTemporary(use: (TMPDIR: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "shell-home-"));
  await use(folder);
  await rm(folder, { recursive: true });
}

test("given a pane, when its shell's files are written, then only the user may read them, and they go with it", async () => {
  await inTemporary(async (TMPDIR) => {
    const home = await openShellHome({
      pane: "worker",
      rung: "native",
      secret,
      env: anEnvironment({ TMPDIR }),
    });
    const command = await home.writeCommand("echo hi");
    const [folder = ""] = await readdir(TMPDIR);

    expect((await stat(join(TMPDIR, folder))).mode & 0o777).toBe(0o700);
    expect((await stat(command)).mode & 0o777).toBe(0o600);
    await home[Symbol.asyncDispose]();
    expect(await readdir(TMPDIR)).toEqual([]);
  });
});

test("given folders of a server that was killed, when a pane opens, then they are removed, and nobody else's", async () => {
  await inTemporary(async (TMPDIR) => {
    const dead = spawnSync("true").pid;
    const left = `celery-playground-${dead}-worker-abc123`;
    const others = [
      `celery-playground-${process.pid}-worker-abc123`,
      `celery-playground-${dead}-notes`,
      "mine",
    ];
    for (const name of [left, ...others]) await mkdir(join(TMPDIR, name));

    await using _ = await openShellHome({
      pane: "worker",
      rung: "native",
      secret,
      env: anEnvironment({ TMPDIR }),
    });

    const names = await readdir(TMPDIR);
    expect(names).toEqual(expect.arrayContaining(others));
    expect(names).not.toContain(left);
  });
});

test("given a machine without any shell that is wanted, when a pane opens, then it is said", async () => {
  await inTemporary(async (TMPDIR) => {
    const env = { ...anEnvironment({ TMPDIR }), PATH: TMPDIR };
    const kind = "zsh-that-nobody-has" as never;

    await expect(openShellHome({ pane: "worker", rung: "native", secret, env, kind })).rejects.toMatchObject({
      code: "SHELL_UNAVAILABLE",
    });
  });
});
