import { expect, test } from "vitest";
import { paneSections } from "./pane-text.ts";

test("given a pane's text, when it is cut, then each command heads what it printed", () => {
  const text = "Welcome\nworker $ celery status\n1 node online.\n\nworker $ \nworker $ ls\ntasks.ts\n\n\n";

  expect(paneSections(text)).toEqual([
    { command: null, output: "Welcome" },
    { command: "celery status", output: "1 node online." },
    { command: "ls", output: "tasks.ts" },
  ]);
});

test("given a long text, when it is cut, then the newest 500 lines are left", () => {
  const text = Array.from({ length: 700 }, (_, index) => `line ${index}`).join("\n");

  const [section] = paneSections(text);

  expect(section?.output.split("\n")).toHaveLength(500);
  expect(section?.output.endsWith("line 699")).toBe(true);
});

test("given an empty screen, when it is cut, then there is nothing", () => {
  expect(paneSections("\n\n  \n")).toEqual([]);
});
