import { expect, test } from "vitest";
import { lessonHref, parseLines, parseRoute } from "./route.ts";

const at = (address: string): ReturnType<typeof parseRoute> =>
  parseRoute(new URL(address, "http://127.0.0.1:7480"));

test("given the bare address, when it is read, then it is home", () => {
  expect(at("/")).toEqual({ page: "home" });
});

test("given a lesson with a step, when it is read, then both are known", () => {
  expect(at("/l/03-delay#send")).toEqual({ page: "lesson", slug: "03-delay", file: null, anchor: "send" });
});

test("given a file with lines, when it is read, then the lines count and no step is meant", () => {
  expect(at("/l/03-delay?file=tasks.ts#L3-L5")).toEqual({
    page: "lesson",
    slug: "03-delay",
    file: { path: "tasks.ts", from: 3, to: 5 },
    anchor: null,
  });
});

test.each([
  ["L8", { from: 8, to: 8 }],
  ["L3-5", { from: 3, to: 5 }],
  ["L9-L2", { from: 9, to: 9 }],
  ["", { from: null, to: null }],
  ["L0x", { from: null, to: null }],
])("given the hash %j, when lines are read, then they are %j", (hash, lines) => {
  expect(parseLines(hash)).toEqual(lines);
});

test.each(["/settings", "/l/", "/l/a/b"])("given %s, when it is read, then the page is unknown", (path) => {
  expect(at(path)).toEqual({ page: "unknown", path });
});

test("given a slug and step with odd characters, when an address is made and read, then they are the same", () => {
  const href = lessonHref("a b", "50%");

  expect(at(href)).toEqual({ page: "lesson", slug: "a b", file: null, anchor: "50%" });
});

test("given a stray percent sign, when it is read, then it is taken as it is", () => {
  expect(at("/l/100%")).toMatchObject({ slug: "100%" });
});
