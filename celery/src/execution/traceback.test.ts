import { expect, test } from "vitest";
import { formatTraceback } from "./traceback.ts";

function withStack(...frames: readonly string[]): Error {
  const error = new RangeError("no");
  error.stack = ["RangeError: no", ...frames.map((frame) => `    at ${frame}`)].join("\n");
  return error;
}

test("given frames in folders with per cent signs, when a traceback is written, then paths are left alone and URLs are decoded", () => {
  const error = withStack(
    "inner (/srv/50% off/a%20b.ts:3:4)",
    "outer (file:///srv/c%20d/e.ts:5:6)",
    "async file:///srv/100%/f.ts:7:8",
  );

  expect(formatTraceback(error)).toBe(
    [
      "Traceback (most recent call last):",
      '  File "/srv/100%/f.ts", line 7, in <module>',
      '  File "/srv/c d/e.ts", line 5, in outer',
      '  File "/srv/50% off/a%20b.ts", line 3, in inner',
      "RangeError: no",
      "",
    ].join("\n"),
  );
});
