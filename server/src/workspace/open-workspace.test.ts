import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aLesson } from "../../test/lesson-source.ts";
import type { Lesson } from "../lessons/lesson.ts";
import { parseLesson } from "../lessons/parse-lesson.ts";
import type { FileView } from "../protocol/index.ts";
import { openWorkspace } from "./open-workspace.ts";
import { type Workspace, WorkspaceConflict, WorkspaceRefused } from "./workspace.ts";

let root: string;
let opened: Workspace[];
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "workspace-")));
  opened = [];
});
afterEach(async () => {
  for (const workspace of opened) await workspace[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

const STARTER = "one\ntwo\nthree\n";
const BODY =
  "```diff edit=files/tasks.ts id=shout\n one\n-two\n+TWO\n three\n```\n\n```diff edit=files/new.ts id=make\n+hello\n```\n";

function lessonWith(files: Readonly<Record<string, string>>): Lesson {
  const { lesson, problems } = parseLesson(aLesson(BODY, { files: new Map(Object.entries(files)) }));
  if (lesson === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
  return lesson;
}

async function open(
  files: Readonly<Record<string, string>> = { "tasks.ts": STARTER, "data/a.tsv": "x\n" },
): Promise<Workspace> {
  const workspace = await openWorkspace({ root, lesson: lessonWith(files), log: pino({ level: "silent" }) });
  opened.push(workspace);
  return workspace;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const onDisk = (path: string): Promise<string> => readFile(join(root, "03-test", path), "utf8");

test("given an empty folder, when a lesson is opened, then its files are copied and shown", async () => {
  const workspace = await open();
  expect(await onDisk("tasks.ts")).toBe(STARTER);
  expect(await onDisk("data/a.tsv")).toBe("x\n");
  expect(workspace.files()).toEqual([
    { path: "tasks.ts", text: STARTER, hash: hashOf(STARTER), edited: false },
    { path: "data/a.tsv", text: "x\n", hash: hashOf("x\n"), edited: false },
  ]);
});

test("given a folder outside of the repository, when a lesson is opened, then its code finds the packages", async () => {
  await open();
  expect(existsSync(join(root, "node_modules/celery/package.json"))).toBe(true);
  expect(JSON.parse(await readFile(join(root, "package.json"), "utf8"))).toMatchObject({ type: "module" });
});

test("given a learner's changes, when the lesson is opened again, then they are kept and only missing files are copied", async () => {
  const first = await open();
  await first.save("tasks.ts", "mine\n", hashOf(STARTER));
  await first[Symbol.asyncDispose]();
  await rm(join(root, "03-test/data"), { recursive: true });

  const second = await open();
  expect(second.file("tasks.ts")).toMatchObject({ text: "mine\n", edited: true });
  expect(await onDisk("data/a.tsv")).toBe("x\n");
});

test("given a lesson that changed since, when it is opened again, then untouched files follow it and edited ones stay", async () => {
  const first = await open({ "tasks.ts": STARTER, "data/a.tsv": "old\n" });
  await first.save("tasks.ts", "mine\n", hashOf(STARTER));
  await first[Symbol.asyncDispose]();

  const second = await open({ "tasks.ts": `zero\n${STARTER}`, "data/a.tsv": "new\n" });
  expect(second.file("data/a.tsv")).toMatchObject({ text: "new\n", edited: false });
  expect(second.file("tasks.ts")).toMatchObject({ text: "mine\n", edited: true });
});

test("given a text that grew from what is on disk, when it is saved, then it is written and told", async () => {
  const workspace = await open();
  const told = once(workspace.events, "changed");
  const view = await workspace.save("tasks.ts", "mine\n", hashOf(STARTER));
  expect(view).toEqual({ path: "tasks.ts", text: "mine\n", hash: hashOf("mine\n"), edited: true });
  expect(await told).toEqual([view]);
  expect(await onDisk("tasks.ts")).toBe("mine\n");
});

test("given a file that another program changed, when it is saved, then it is a conflict with what is there now", async () => {
  const workspace = await open();
  await writeFile(join(root, "03-test/tasks.ts"), "theirs\n");
  const failure: unknown = await workspace
    .save("tasks.ts", "mine\n", hashOf(STARTER))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkspaceConflict);
  expect((failure as WorkspaceConflict).current).toMatchObject({ text: "theirs\n" });
  expect(await onDisk("tasks.ts")).toBe("theirs\n");
});

test("given the same text on disk already, when it is saved from an old base, then that is no conflict", async () => {
  const workspace = await open();
  await writeFile(join(root, "03-test/tasks.ts"), "same\n");
  await expect(workspace.save("tasks.ts", "same\n", hashOf(STARTER))).resolves.toMatchObject({
    text: "same\n",
  });
});

test("given many saves at once from one base, when they are written, then one wins and the others conflict", async () => {
  const workspace = await open();
  const saves = Array.from({ length: 10 }, (_, index) =>
    workspace.save("tasks.ts", `${index}\n`, hashOf(STARTER)),
  );
  const results = await Promise.allSettled(saves);
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  expect(await onDisk("tasks.ts")).toBe("0\n");
});

test("given an edit, when it is applied, then the file has it and its state says so; a second time changes nothing", async () => {
  const workspace = await open();
  const [shout, make] = lessonWith({ "tasks.ts": STARTER }).edits;
  expect(workspace.editStates()).toEqual({ shout: "open", make: "open" });
  await workspace.applyEdit(shout!);
  await workspace.applyEdit(make!);
  await workspace.applyEdit(shout!);
  expect(await onDisk("tasks.ts")).toBe("one\nTWO\nthree\n");
  expect(await onDisk("new.ts")).toBe("hello\n");
  expect(workspace.editStates()).toEqual({ shout: "applied", make: "applied" });
});

test("given lines that the learner rewrote, when an edit is applied, then it is a conflict and nothing is lost", async () => {
  const workspace = await open();
  await workspace.save("tasks.ts", "one\nzwei\nthree\n", hashOf(STARTER));
  expect(workspace.editStates()).toMatchObject({ shout: "conflict" });
  await expect(workspace.applyEdit(lessonWith({ "tasks.ts": STARTER }).edits[0]!)).rejects.toThrow(
    WorkspaceConflict,
  );
  expect(await onDisk("tasks.ts")).toBe("one\nzwei\nthree\n");
});

test("given changes, made files and a program's leftovers, when the lesson is reset, then all is as at first and the old is kept", async () => {
  const workspace = await open();
  await workspace.save("tasks.ts", "mine\n", hashOf(STARTER));
  await workspace.applyEdit(lessonWith({ "tasks.ts": STARTER }).edits[1]!);
  await writeFile(join(root, "03-test/celerybeat-schedule"), "x");
  await workspace.progress.save([{ id: "c", state: "green", message: "seen" }]);
  await workspace.reset();

  expect((await readdir(join(root, "03-test"))).toSorted()).toEqual([".playground.json", "data", "tasks.ts"]);
  expect(await onDisk("tasks.ts")).toBe(STARTER);
  expect(workspace.progress.load()).toEqual([]);
  const [time] = await readdir(join(root, ".history/03-test"));
  const kept = join(root, ".history/03-test", time!);
  expect((await readdir(kept)).toSorted()).toEqual(["celerybeat-schedule", "new.ts", "tasks.ts"]);
  expect(await readFile(join(kept, "tasks.ts"), "utf8")).toBe("mine\n");
});

test("given two changed files, when one is reset, then the other stays", async () => {
  const workspace = await open();
  await workspace.save("tasks.ts", "mine\n", hashOf(STARTER));
  await workspace.save("data/a.tsv", "mine\n", hashOf("x\n"));
  await workspace.reset("tasks.ts");
  expect(await onDisk("tasks.ts")).toBe(STARTER);
  expect(await onDisk("data/a.tsv")).toBe("mine\n");
});

test("given an untouched lesson, when it is reset, then no history is made", async () => {
  const workspace = await open();
  await workspace.reset();
  expect(existsSync(join(root, ".history"))).toBe(false);
});

test("given checks that were green, when the lesson is opened by another server, then they are remembered", async () => {
  const first = await open();
  await first.progress.save([{ id: "c", state: "green", message: "seen" }]);
  await first[Symbol.asyncDispose]();
  expect((await open()).progress.load()).toEqual([{ id: "c", state: "green", message: "seen" }]);
});

test("given a memory that is not ours, when the lesson is opened, then it counts as none", async () => {
  await (await open())[Symbol.asyncDispose]();
  await writeFile(join(root, "03-test/.playground.json"), '{"checks": 7}');
  expect((await open()).progress.load()).toEqual([]);
});

async function change(workspace: Workspace, work: () => Promise<void>): Promise<FileView> {
  const told = once(workspace.events, "changed");
  await work();
  const [view] = (await told) as [FileView];
  return view;
}

test("given another program, when it writes, renames over or removes a file, then each is told", async () => {
  const workspace = await open();
  const path = join(root, "03-test/tasks.ts");
  expect(await change(workspace, () => writeFile(path, "written\n"))).toMatchObject({
    text: "written\n",
    edited: true,
  });
  await writeFile(`${path}.swp`, "renamed\n");
  expect(await change(workspace, () => rename(`${path}.swp`, path))).toMatchObject({ text: "renamed\n" });
  expect(await change(workspace, () => rm(path))).toMatchObject({
    path: "tasks.ts",
    text: "",
    hash: "",
    edited: true,
  });
  expect(await change(workspace, () => writeFile(path, STARTER))).toMatchObject({
    text: STARTER,
    edited: false,
  });
});

test("given a workspace that the learner removed whole, when a file is saved, then it is there again and still watched", async () => {
  const workspace = await open();
  await change(workspace, () => rm(join(root, "03-test"), { recursive: true }));
  await expect.poll(() => workspace.file("data/a.tsv")?.hash).toBe("");
  await workspace.save("tasks.ts", "again\n", "");
  expect(await onDisk("tasks.ts")).toBe("again\n");
  const path = join(root, "03-test/tasks.ts");
  expect(await change(workspace, () => writeFile(path, "watched\n"))).toMatchObject({ text: "watched\n" });
});

test("given a link in a file's place, when the lesson is opened, then the target is neither read nor written", async () => {
  const outside = join(root, "secret");
  await writeFile(outside, "secret\n");
  await mkdir(join(root, "03-test"), { recursive: true });
  await symlink(outside, join(root, "03-test/tasks.ts"));
  const workspace = await open();
  expect(workspace.file("tasks.ts")?.text).toBe(STARTER);
  expect(await readFile(outside, "utf8")).toBe("secret\n");
});

test.each([
  ["a link", (at: string, outside: string) => symlink(outside, at), "a link or no plain file"],
  ["a hard link", (at: string, outside: string) => link(outside, at), "a hard link"],
  ["a huge file", (at: string) => writeFile(at, "x".repeat(300_000)), "larger than 256 KB"],
  ["a folder", (at: string) => mkdir(at), "not a plain file"],
])(
  "given %s that came in a file's place, when it is saved or edited, then that is refused; reset puts it aside",
  async (_, make, says) => {
    const outside = join(root, "secret");
    await writeFile(outside, "secret\n");
    const workspace = await open();
    const path = join(root, "03-test/tasks.ts");
    await rm(path);
    await make(path, outside);

    await expect(workspace.save("tasks.ts", "mine\n", "")).rejects.toThrow(says);
    await expect(workspace.applyEdit(lessonWith({ "tasks.ts": STARTER }).edits[0]!)).rejects.toThrow(says);

    await workspace.reset("tasks.ts");
    expect(await onDisk("tasks.ts")).toBe(STARTER);
    expect(await readFile(outside, "utf8")).toBe("secret\n");
  },
);

test("given a lesson's folder that the learner removed, when it is reset, then all of it is there again", async () => {
  const workspace = await open();
  await rm(root, { recursive: true });

  await workspace.reset();

  expect(await onDisk("tasks.ts")).toBe(STARTER);
  expect(existsSync(join(root, "node_modules/celery"))).toBe(true);
});

test("given a file in the lesson folder's place, when it is opened, saved or reset, then the answer says what to do", async () => {
  const workspace = await open();
  await rm(join(root, "03-test"), { recursive: true });
  await writeFile(join(root, "03-test"), "");

  const says = /^"03-test" is a (link or a )?file where a folder belongs; remove it\.$/;
  await expect(workspace.save("tasks.ts", "x", "")).rejects.toThrow(says);
  await expect(workspace.reset()).rejects.toThrow(says);
  await expect(open()).rejects.toThrow(says);
});

test("given a link in the lesson folder's place, when the lesson is opened, then that is refused", async () => {
  await mkdir(join(root, "elsewhere"));
  await symlink(join(root, "elsewhere"), join(root, "03-test"));
  await expect(open()).rejects.toThrow(WorkspaceRefused);
  expect(await readdir(join(root, "elsewhere"))).toEqual([]);
});

test("given a name that is no file of the lesson, when it is saved or reset, then that is refused", async () => {
  const workspace = await open();
  for (const path of ["../x", "other.ts", ".playground.json", "data", ""]) {
    await expect(workspace.save(path, "x", "")).rejects.toThrow(WorkspaceRefused);
    if (path !== "") await expect(workspace.reset(path)).rejects.toThrow(WorkspaceRefused);
  }
  await expect(workspace.save("tasks.ts", "x".repeat(300_000), hashOf(STARTER))).rejects.toThrow("256 KB");
});
