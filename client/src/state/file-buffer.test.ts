import type { FileView } from "server/protocol";
import { expect, test } from "vitest";
import { advanceBuffer, type BufferEvent, type FileBuffer, openBuffer, wantsSave } from "./file-buffer.ts";

const file = (text: string, hash: string = `#${text}`): FileView => ({
  path: "tasks.ts",
  text,
  hash,
  edited: text !== "a",
});

const after = (...events: BufferEvent[]): FileBuffer => events.reduce(advanceBuffer, openBuffer(file("a")));

test("given a file, when something is typed, then it is unsaved and wants to be saved", () => {
  const buffer = after({ type: "typed", text: "ab" });

  expect(buffer).toMatchObject({ text: "ab", baseText: "a", save: { phase: "unsaved" } });
  expect(wantsSave(buffer)).toBe(true);
});

test("given something typed, when it is taken back, then there is nothing to save", () => {
  const buffer = after({ type: "typed", text: "ab" }, { type: "typed", text: "a" });

  expect(buffer.save).toEqual({ phase: "saved" });
  expect(wantsSave(buffer)).toBe(false);
});

test("given a save under way, when the server has it, then the new version is the base of the next save", () => {
  const buffer = after(
    { type: "typed", text: "ab" },
    { type: "sent" },
    { type: "saved", text: "ab", hash: "#ab" },
  );

  expect(buffer).toMatchObject({ baseText: "ab", baseHash: "#ab", save: { phase: "saved" } });
});

test("given a save under way, when more is typed meanwhile, then the rest is unsaved over the saved base", () => {
  const buffer = after(
    { type: "typed", text: "ab" },
    { type: "sent" },
    { type: "typed", text: "abc" },
    { type: "disk", file: file("ab") },
    { type: "saved", text: "ab", hash: "#ab" },
  );

  expect(buffer).toMatchObject({ text: "abc", baseText: "ab", baseHash: "#ab", save: { phase: "unsaved" } });
});

test("given nothing unsaved, when another program writes the file, then its text is shown", () => {
  const buffer = after({ type: "disk", file: file("z") });

  expect(buffer).toMatchObject({
    text: "z",
    baseHash: "#z",
    edited: true,
    save: { phase: "saved" },
    revision: 1,
  });
});

test("given something unsaved, when another program writes the file, then neither version is lost", () => {
  const buffer = after({ type: "typed", text: "mine" }, { type: "disk", file: file("theirs") });

  expect(buffer.text).toBe("mine");
  expect(buffer.save).toEqual({ phase: "conflict", disk: file("theirs") });
});

test("given a conflict, when more is typed, then it stays a conflict and nothing is saved", () => {
  const buffer = after(
    { type: "typed", text: "mine" },
    { type: "disk", file: file("theirs") },
    { type: "typed", text: "mine!" },
  );

  expect(buffer.save.phase).toBe("conflict");
  expect(wantsSave(buffer)).toBe(false);
});

test("given a conflict, when the learner keeps their own, then it is saved over the disk's version", () => {
  const buffer = after(
    { type: "typed", text: "mine" },
    { type: "disk", file: file("theirs") },
    { type: "keep-mine" },
  );

  expect(buffer).toMatchObject({ text: "mine", baseHash: "#theirs", save: { phase: "unsaved" } });
});

test("given a conflict, when the learner takes the disk's, then the editor shows it", () => {
  const buffer = after(
    { type: "typed", text: "mine" },
    { type: "disk", file: file("theirs") },
    { type: "take-disk" },
  );

  expect(buffer).toMatchObject({ text: "theirs", save: { phase: "saved" }, revision: 1 });
});

test("given a conflict, when the disk comes to hold what was typed, then it is over", () => {
  const buffer = after(
    { type: "typed", text: "mine" },
    { type: "disk", file: file("theirs") },
    { type: "disk", file: file("mine") },
  );

  expect(buffer).toMatchObject({ baseHash: "#mine", save: { phase: "saved" } });
});

test("given a save under way, when the connection ends, then the text is unsaved again", () => {
  const buffer = after({ type: "typed", text: "ab" }, { type: "sent" }, { type: "unanswered" });

  expect(wantsSave(buffer)).toBe(true);
});

test("given the same version again, when it comes from the disk, then unsaved typing is no conflict", () => {
  const buffer = after({ type: "typed", text: "ab" }, { type: "disk", file: file("a") });

  expect(buffer.save).toEqual({ phase: "unsaved" });
});
