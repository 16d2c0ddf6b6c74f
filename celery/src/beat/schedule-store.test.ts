import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfiguredEntry } from "./entry.ts";
import { Interval } from "./schedule.ts";
import { ScheduleStore } from "./schedule-store.ts";

const now = Date.parse("2026-11-21T10:00:00.123Z");
const clock = { timezone: "UTC", utcEnabled: true };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "celery-store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const configured = (...names: string[]): ConfiguredEntry[] =>
  names.map((name) => ({
    name,
    task: `tasks.${name}`,
    schedule: new Interval(60),
    args: [],
    options: {},
  }));

const aStore = (settings = clock): ScheduleStore =>
  new ScheduleStore("celerybeat-schedule", settings, folder);

describe("a schedule file that is there", () => {
  test("given a saved schedule, when it is loaded an hour later, then last runs and counts are as they were", async () => {
    await aStore().save(configured("a").map((entry) => ({ ...entry, lastRunAtMs: now, totalRunCount: 7 })));

    const loaded = await aStore().load(configured("a"), now + 3_600_000);

    expect(loaded).toMatchObject({
      entries: [{ name: "a", lastRunAtMs: now, totalRunCount: 7 }],
      warnings: [],
    });
    expect([...loaded.remembered]).toEqual(["a"]);
  });

  test("given an entry that is gone from the configuration and one that is new, when loaded, then the one is dropped and the other counts from now", async () => {
    await aStore().save(
      configured("old", "kept").map((entry) => ({ ...entry, lastRunAtMs: now - 5000, totalRunCount: 1 })),
    );

    const { entries } = await aStore().load(configured("kept", "new"), now);

    expect(entries.map(({ name, lastRunAtMs }) => [name, lastRunAtMs])).toEqual([
      ["kept", now - 5000],
      ["new", now],
    ]);
  });

  test("given a file of another time zone, when loaded, then it is forgotten and the change is told", async () => {
    await aStore().save(
      configured("a").map((entry) => ({ ...entry, lastRunAtMs: now - 5000, totalRunCount: 1 })),
    );

    const { entries, warnings } = await aStore({ timezone: "Europe/Berlin", utcEnabled: true }).load(
      configured("a"),
      now,
    );

    expect(entries[0]?.lastRunAtMs).toBe(now);
    expect(warnings).toEqual(["Reset: Timezone changed from 'UTC' to 'Europe/Berlin'"]);
  });
});

describe("a file that is no schedule", () => {
  test.each([
    "",
    "{",
    '{"format": 1}',
    "\u0000\u0001GDBM",
    '{"format":1,"timezone":"UTC","utcEnabled":true,"entries":{"a":{"lastRunAt":"yesterday","totalRunCount":1}}}',
  ])(
    "given %j, when loaded, then it is kept under another name, told about, and the schedule starts empty",
    async (text) => {
      await writeFile(join(folder, "celerybeat-schedule"), text);

      const { entries, warnings } = await aStore().load(configured("a"), now);

      expect(entries[0]?.lastRunAtMs).toBe(now);
      expect(warnings.join()).toMatch(/cannot be read.*celerybeat-schedule\.corrupt-20261121T100000123Z/);
      expect(await readFile(join(folder, "celerybeat-schedule.corrupt-20261121T100000123Z"), "utf8")).toBe(
        text,
      );
    },
  );

  test("given no file, when loaded, then every entry counts from now and nothing is told", async () => {
    expect(await aStore().load(configured("a"), now)).toMatchObject({
      entries: [{ lastRunAtMs: now }],
      warnings: [],
    });
  });

  test("given a folder in its place, when loaded or saved, then the error names the path and no temporary file stays", async () => {
    const store = new ScheduleStore(".", clock, folder);

    await expect(store.load([], now)).rejects.toThrow(/EISDIR/);
    await expect(store.save([])).rejects.toThrow(/celery-store/);
    expect(await readdir(folder)).toEqual([]);
  });
});
