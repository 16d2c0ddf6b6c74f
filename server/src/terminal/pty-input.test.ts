import { expect, test } from "vitest";
import { anEnvironment } from "../../test/panes.ts";
import type { Pty } from "./pty.ts";
import { MOST_WAITING_BYTES } from "./pty-input.ts";
import { loadNativePty } from "./pty-native.ts";

const native = await loadNativePty();

/** A program in a terminal of its own, and all that it has printed. */
function start(script: string): { pty: Pty; printed: () => string } {
  const env = anEnvironment();
  const pty = native!.open({ file: "/bin/sh", args: ["-c", script], cwd: "/", env, cols: 80, rows: 24 });
  let text = "";
  pty.onData((bytes) => {
    text += Buffer.from(bytes).toString("latin1");
  });
  return { pty, printed: () => text };
}

test.runIf(native !== undefined)(
  "given a program that takes single keys and reads none, when far more is typed than a terminal holds, then nothing else waits, and it gets the beginning once it reads",
  async () => {
    const { pty, printed } = start("stty raw -echo; echo deaf; sleep 1; head -c 500000 | md5sum");
    await expect.poll(printed).toContain("deaf");
    const asked = performance.now();

    pty.write("x".repeat(500_000));
    pty.write("y".repeat(2 * MOST_WAITING_BYTES));

    expect(performance.now() - asked).toBeLessThan(500);
    // Of 500 000 times the letter x.
    await expect.poll(printed, { timeout: 20_000 }).toContain("20e8b0e1a8b71b908ed4fd2ec6ee57af");
    pty.close();
  },
);
