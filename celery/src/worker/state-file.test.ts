import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StateFile, StateFileError } from "./state-file.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "worker-state-"));
  path = join(folder, "state.db");
});
afterEach(() => rm(folder, { recursive: true }));

test("given no file, when it is loaded, then nothing is known", async () => {
  expect(await new StateFile(path, () => ({ revoked: [], clock: 0 })).load()).toBeUndefined();
});

test("given a saved state, when another worker loads it, then it is the same, and no draft is left", async () => {
  const state = { revoked: ["a", "b"], clock: 7 };
  await new StateFile(path, () => state).save();

  expect(await new StateFile(path, () => state).load()).toMatchObject(state);
  expect(await readdir(folder)).toEqual(["state.db"]);
});

test("given changes while it is being written, when the saves have settled, then the last one is on disk", async () => {
  const revoked: string[] = [];
  const file = new StateFile(path, () => ({ revoked: [...revoked], clock: 1 }));

  const saves = ["a", "b", "c"].map((id) => {
    revoked.push(id);
    return file.save();
  });
  await Promise.all(saves);

  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ format: 1, revoked: ["a", "b", "c"], clock: 1 });
});

test.each(["not JSON", '{"format": 2}', "\u0000\u0001"])(
  "given a file of another kind, %j, when it is loaded, then the error says what to do and the file stays",
  async (text) => {
    await writeFile(path, text);
    const file = new StateFile(path, () => ({ revoked: [], clock: 0 }));

    await expect(file.load()).rejects.toThrow(StateFileError);
    await expect(file.load()).rejects.toThrow(/not a state file of this worker.*--statedb/);
    expect(await readFile(path, "utf8")).toBe(text);
  },
);

test("given a folder that is not there, when it is saved, then the error names the file", async () => {
  const file = new StateFile(join(folder, "none", "state.db"), () => ({ revoked: [], clock: 0 }));

  await expect(file.save()).rejects.toThrow(/none\/state.db cannot be written/);
});
