import { expect, test } from "vitest";
import { aServer, aStore } from "../../test/rig.ts";
import { openBuffer } from "./file-buffer.ts";
import type { Question, Reply } from "./link.ts";
import { receive } from "./receive.ts";
import { openSaver, type Saver } from "./saver.ts";
import type { Store } from "./store.ts";

interface Rig {
  readonly store: Store;
  readonly saver: Saver;
  readonly asked: readonly Question[];
  /** Answers the oldest open question. */
  reply(reply: Reply): void;
  /** Lets the waiting time pass. */
  elapse(): void;
  phase(): string | undefined;
}

function aRig(): Rig {
  const store = aStore();
  store.buffers.value = new Map([
    ["tasks.ts", openBuffer({ path: "tasks.ts", text: "a", hash: "#a", edited: false })],
  ]);
  const { link, asked, reply } = aServer();
  let timers: (() => void)[] = [];
  const after = (_ms: number, then: () => void): (() => void) => {
    timers.push(then);
    return () => {
      timers = timers.filter((timer) => timer !== then);
    };
  };
  return {
    store,
    saver: openSaver({ store, link, hash: async (text) => `#${text}`, after }),
    asked,
    reply,
    elapse: () => timers.splice(0).forEach((timer) => timer()),
    phase: () => store.buffers.value.get("tasks.ts")?.save.phase,
  };
}

test("given fast typing, when it pauses, then one save goes out with the last text", async () => {
  const rig = aRig();

  rig.saver.typed("tasks.ts", "ab");
  rig.saver.typed("tasks.ts", "abc");
  rig.elapse();

  await expect.poll(() => rig.asked).toEqual([{ type: "save", path: "tasks.ts", text: "abc", base: "#a" }]);
});

test.each([
  ["many lines", "\n".repeat(40_000)],
  ["many letters of more than one byte", "语".repeat(30_000)],
])(
  "given a text with %s that no frame holds, when it is to be saved, then it is not sent, and the file says so",
  async (_, text) => {
    const rig = aRig();

    rig.saver.typed("tasks.ts", text);
    rig.elapse();

    await expect.poll(() => rig.phase()).toBe("failed");
    expect(rig.asked).toEqual([]);
  },
);

test("given typing during a save, when the save is answered, then the rest follows over the new base", async () => {
  const rig = aRig();
  rig.saver.typed("tasks.ts", "ab");
  rig.elapse();
  rig.saver.typed("tasks.ts", "abc");

  rig.reply({ ok: true });
  await expect.poll(() => rig.phase()).toBe("unsaved");
  rig.elapse();

  await expect
    .poll(() => rig.asked.at(-1))
    .toEqual({ type: "save", path: "tasks.ts", text: "abc", base: "#ab" });
});

test("given a lost connection, when it was in the middle of a save, then the text is unsaved and can be flushed later", async () => {
  const rig = aRig();
  rig.saver.typed("tasks.ts", "ab");
  rig.elapse();
  rig.store.connection.value = { phase: "waiting", attempt: 0, retryAt: 0 };
  rig.reply({ ok: false, code: "offline", message: "away" });
  await expect.poll(() => rig.phase()).toBe("unsaved");

  rig.store.connection.value = { phase: "open", latencyMs: 1 };
  const flushed = rig.saver.flush();
  rig.reply({ ok: true });
  await flushed;

  expect(rig.phase()).toBe("saved");
});

test("given no connection, when something is typed, then nothing is sent and nothing is lost", async () => {
  const rig = aRig();
  rig.store.connection.value = { phase: "waiting", attempt: 0, retryAt: 0 };

  rig.saver.typed("tasks.ts", "ab");
  await rig.saver.flush();

  expect(rig.asked).toEqual([]);
  expect(rig.phase()).toBe("unsaved");
});

test("given a file that changed on disk, when the save is refused, then it is a conflict, and keeping mine saves over it", async () => {
  const rig = aRig();
  rig.saver.typed("tasks.ts", "mine");
  rig.elapse();
  const theirs = { path: "tasks.ts", text: "theirs", hash: "#theirs", edited: true };

  receive(rig.store, { type: "file", file: theirs }, 1);
  rig.reply({ ok: false, code: "conflict", message: "It changed." });
  await expect.poll(() => rig.phase()).toBe("conflict");
  rig.saver.resolve("tasks.ts", "keep-mine");
  rig.elapse();

  await expect
    .poll(() => rig.asked.at(-1))
    .toEqual({ type: "save", path: "tasks.ts", text: "mine", base: "#theirs" });
});

test("given a text that is too long, when it is saved, then the page says so without asking the server", async () => {
  const rig = aRig();

  rig.saver.typed("tasks.ts", "x".repeat(48_001));
  await rig.saver.flush();

  expect(rig.asked).toEqual([]);
  expect(rig.phase()).toBe("failed");
});
