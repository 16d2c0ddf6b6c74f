import { expect, test } from "vitest";
import { loadNativePty } from "./pty-native.ts";

test("given programs that print and end, when their terminals are resized until the end is known, then nothing is thrown", async () => {
  const factory = await loadNativePty();
  if (factory === undefined) return expect(process.platform).not.toBe("linux");
  const size = { cols: 80, rows: 24 };
  const ends = Array.from({ length: 100 }, async (_, index) => {
    const env = { PATH: process.env["PATH"] ?? "" };
    const pty = factory.open({ ...size, file: "/bin/sh", args: ["-c", "seq 1 3000; exit 3"], cwd: "/", env });
    let exit: number | undefined;
    pty.onData(() => {});
    pty.onExit((code) => {
      exit = code;
    });
    for (let turn = 0; exit === undefined; turn += 1) {
      pty.resize(80 + ((index + turn) % 20), 24);
      await new Promise((resolve) => setImmediate(resolve));
    }
    pty.close();
    return exit;
  });
  expect(new Set(await Promise.all(ends))).toEqual(new Set([3]));
});
