import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort, startRedisServer } from "../../test/support/redis-server.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { EncodeError } from "../protocol/errors.ts";
import { openConnection, type RedisConnection } from "../redis/connection.ts";
import { BEAT_LOCK } from "../redis/keys.ts";
import { type BeatLock, openBeatLock } from "../redis/lock.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { Beat } from "./beat.ts";
import { type ConfiguredEntry, type Entry, readEntries } from "./entry.ts";
import { BeatLazyFunc } from "./lazy.ts";
import { ScheduleStore } from "./schedule-store.ts";
import { openTimeZone } from "./time-zone.ts";

const url = `${redisUrl()}/23`;
const TTL_MS = 400;

let redis: RedisConnection;
let folder: string;
beforeEach(async () => {
  redis = openConnection(url);
  await redis.call("FLUSHDB");
  folder = await mkdtemp(join(tmpdir(), "celery-beat-"));
  onTestFinished(async () => {
    await redis[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
});

const aLock = (holder: string, broker = url): BeatLock => {
  const lock = openBeatLock(broker, { holder, ttlMs: TTL_MS });
  onTestFinished(() => lock[Symbol.asyncDispose]());
  return lock;
};

const every = (seconds: number, name = "tick"): readonly ConfiguredEntry[] =>
  readEntries({
    [name]: {
      task: `tasks.${name}`,
      schedule: seconds,
      args: [],
      kwargs: {},
      options: {},
      enabled: true,
      relative: false,
    },
  });

const argsOf = (entry: Entry): string[] => (entry.args.length > 0 ? [JSON.stringify(entry.args)] : []);

interface RunningBeat {
  readonly lines: string[];
  /** The first log line that fits. */
  said(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** A Beat whose messages are `<holder>:<entry>` in the queue "celery". */
function startBeat(
  holder: string,
  entries: readonly ConfiguredEntry[],
  options: { broker?: string; file?: string; clock?: Clock } = {},
): RunningBeat {
  const lines: string[] = [];
  const write = (_fields: object, line: string): void => void lines.push(line);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const stopping = new AbortController();
  const beat = new Beat(
    {
      lock: aLock(holder, options.broker),
      store: new ScheduleStore(
        options.file ?? "celerybeat-schedule",
        { timezone: "UTC", utcEnabled: true },
        folder,
      ),
      prepare: (entry) => {
        if (entry.name === "bad")
          throw new EncodeError("args[0] is a function, which cannot be sent as JSON.");
        return {
          id: "id",
          message: {
            queue: entry.name.startsWith("to ") ? entry.name.slice(3) : "celery",
            raw: [holder, entry.name, ...argsOf(entry)].join(":"),
            priority: 0,
          },
          announce: async () => undefined,
        };
      },
      clock: options.clock ?? systemClock,
      log,
    },
    {
      entries,
      rules: { zone: openTimeZone("UTC"), cronStartingDeadlineSeconds: null },
      maxIntervalMs: 60_000,
      syncEvery: 0,
    },
  );
  const running = beat.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  onTestFinished(stop);
  const find = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line));
  const said = async (pattern: RegExp): Promise<string> => {
    await expect.poll(() => find(pattern), { interval: 10 }).toBeDefined();
    return find(pattern) ?? "";
  };
  return { lines, said, stop };
}

const sent = async (): Promise<string[]> =>
  ((await redis.call("LRANGE", "celery", 0, -1)) as string[]).reverse();
const sendings = (beat: RunningBeat): number =>
  beat.lines.filter((line) => line.includes("Sending due task")).length;

describe("one Beat", () => {
  test("given an entry every 100 ms, when Beat runs, then the first goes out after one interval and every sending is one message", async () => {
    const started = performance.now();
    const beat = startBeat("a", every(0.1));

    await expect.poll(() => sendings(beat), { interval: 5 }).toBe(1);
    const first = performance.now() - started;
    await expect.poll(() => sendings(beat), { interval: 5 }).toBeGreaterThanOrEqual(3);
    await beat.stop();

    expect(first).toBeGreaterThanOrEqual(100);
    expect(await sent()).toEqual(Array.from({ length: sendings(beat) }, () => "a:tick"));
    expect(beat.lines).toEqual(
      expect.arrayContaining(["beat: Starting...", "Scheduler: Sending due task tick (tasks.tick)"]),
    );
    expect(await redis.call("SMEMBERS", "_kombu.binding.celery")).toEqual(["celery\x06\x16\x06\x16celery"]);
  });

  test("given an entry that cannot be sent beside one that can, when both are due, then the error is told and the other goes out", async () => {
    const beat = startBeat("a", [...every(0.05, "bad"), ...every(0.1)]);

    expect(await beat.said(/Message Error/)).toBe(
      "Message Error: Couldn't apply scheduled task bad: args[0] is a function, which cannot be sent as JSON.",
    );
    await expect.poll(sent).toContain("a:tick");
  });

  test("given an entry whose queue is something else in Redis, when it is due, then the error is told once a turn and the others go out", async () => {
    await redis.call("SET", "broken", "no list");
    const beat = startBeat("a", [...every(0.05, "to broken"), ...every(0.1)]);

    expect(await beat.said(/Message Error/)).toMatch(
      /^Message Error: Couldn't apply scheduled task to broken: WRONGTYPE/,
    );
    await expect.poll(sent).toContain("a:tick");
    expect(beat.lines.filter((line) => line.includes("Connection error"))).toEqual([]);
  });

  test("given arguments to be worked out when sending, when entries are due, then each is sent with its own, and one that throws stops nobody", async () => {
    let count = 0;
    const entries = every(0.1).map((entry) => ({
      ...entry,
      args: [new BeatLazyFunc((by: number) => (count += by), 5), "plain"],
    }));
    const broken = every(0.1, "broken").map((entry) => ({
      ...entry,
      options: { kwargs: { x: new BeatLazyFunc(() => JSON.parse("{")) } },
    }));
    const beat = startBeat("a", [...broken, ...entries]);

    await expect.poll(sent).toEqual(expect.arrayContaining(['a:tick:[5,"plain"]', 'a:tick:[10,"plain"]']));
    expect(await beat.said(/Message Error/)).toMatch(/scheduled task broken: SyntaxError/);
  });

  test("given a Beat stopped before its interval is over, when it starts again, then with its file it goes on counting, and without it starts anew", async () => {
    const first = startBeat("a", every(0.6));
    await first.said(/Synchronizing/);
    await first.stop();
    const startedAt = performance.now();
    const again = startBeat("b", every(0.6));
    const forgetful = JSON.parse(await readFile(join(folder, "celerybeat-schedule"), "utf8")) as {
      entries: { tick: { lastRunAt: string } };
    };
    const dueInMs = Date.parse(forgetful.entries.tick.lastRunAt) + 600 - Date.now();

    await again.said(/Sending due task/);
    await again.stop();

    expect(performance.now() - startedAt).toBeLessThan(dueInMs + 250);
    const fresh = startBeat("c", every(0.6), { file: "another-schedule" });
    await fresh.said(/Waking up in 0\.[56]/);
  });
});

describe("two Beats", () => {
  test("given one that sends, when a second starts, then it says that it waits and for whom, and sends nothing", async () => {
    const first = startBeat("first", every(0.05));
    await first.said(/Sending/);

    const second = startBeat("second", every(0.05));

    expect(await second.said(/waits/)).toMatch(
      /Another Beat is running \(first\), so this one waits and sends nothing\. It takes over within 1 seconds/,
    );
    const before = sendings(first);
    await expect.poll(() => sendings(first)).toBeGreaterThan(before + 3);
    expect(sendings(second)).toBe(0);
  });

  test("given one that stops, when a second waits, then it takes over at once and nothing is sent twice", async () => {
    const first = startBeat("first", every(0.1));
    await first.said(/Sending/);
    const second = startBeat("second", every(0.1), { file: "on-another-machine" });
    await second.said(/waits/);

    await first.stop();

    await second.said(/gone/);
    await second.said(/Sending/);
    await second.stop();
    expect((await sent()).length).toBe(sendings(first) + sendings(second));
  });

  test("given one that died without a word, when its lock lapses, then the second takes over, within the lock's time to live", async () => {
    await aLock("the dead one").acquire();
    const died = performance.now();

    await startBeat("second", every(0.05)).said(/Sending/);

    expect(performance.now() - died).toBeLessThan(TTL_MS + 400);
  });

  test("given one that was asleep while its lock went to another, when it wakes with something due, then it sends nothing and waits", async () => {
    const sleeper = startBeat("sleeper", every(0.3));
    await sleeper.said(/Waking up in/);

    await redis.call("SET", BEAT_LOCK, "the other", "PX", 60_000);

    await sleeper.said(/running \(the other\)/);
    expect(await sent()).toEqual([]);
  });
});

describe("what the broker remembers", () => {
  const due = { entry: "tick", dueAtMs: 1_000_000, sentAtMs: 1_000_500 };
  const message = { queue: "celery", raw: "m", priority: 7 };

  test("given an occurrence that was sent, when it is sent again by anybody, then it is not in the queue twice", async () => {
    const [a, b] = [aLock("a"), aLock("b")];
    await a.acquire();

    expect(await a.publish(due, message)).toEqual({ outcome: "sent" });
    await a.release();
    expect(await b.publish({ ...due, sentAtMs: 1_000_900 }, message)).toEqual({
      outcome: "duplicate",
      sentAtMs: 1_000_500,
    });
    expect(await b.publish({ entry: "tick", dueAtMs: 1_001_000, sentAtMs: 1_001_000 }, message)).toEqual({
      outcome: "sent",
    });
    expect(await redis.call("LLEN", "celery\x06\x166")).toBe(2);
  });

  test("given the lock in other hands, when publishing, then nothing is sent and the holder is named", async () => {
    await aLock("b").acquire();

    expect(await aLock("a").publish(due, message)).toEqual({ outcome: "fenced", holder: "b" });
    expect(await redis.call("EXISTS", "celery\x06\x166")).toBe(0);
  });

  test("given a note from a clock that was years ahead, when the entry is due, then it is sent", async () => {
    await redis.call("HSET", "ts1:beat:sent", "tick", Date.parse("2099-01-01"));

    expect(await aLock("a").publish(due, message)).toEqual({ outcome: "sent" });
  });

  test("given a Beat that died after sending and before writing its file, when it starts again, then it does not send that occurrence again", async () => {
    const now = Date.now();
    const store = new ScheduleStore("celerybeat-schedule", { timezone: "UTC", utcEnabled: true }, folder);
    await store.save(
      every(3600).map((entry) => ({ ...entry, lastRunAtMs: now - 3_600_000, totalRunCount: 1 })),
    );
    await redis.call("HSET", "ts1:beat:sent", "tick", now - 1000);

    const beat = startBeat("a", every(3600));

    await beat.said(/Waking up in/);
    expect(await sent()).toEqual([]);
  });
});

describe("a clock that was ahead", () => {
  const MINUTE = 60_000;

  test.each([
    ["in the file", { file: 30 }],
    ["in the broker's note", { note: 30 }],
    ["in both, days ahead", { file: 3000, note: 2000 }],
  ])(
    "given a last run in the future, %s, when Beat starts, then it says so, and the entry runs one interval from now",
    async (_where, minutes: { file?: number; note?: number }) => {
      const now = Date.now();
      if (minutes.file !== undefined) {
        const store = new ScheduleStore("celerybeat-schedule", { timezone: "UTC", utcEnabled: true }, folder);
        const lastRunAtMs = now + minutes.file * MINUTE;
        await store.save(every(0.2).map((entry) => ({ ...entry, lastRunAtMs, totalRunCount: 1 })));
      }
      if (minutes.note !== undefined)
        await redis.call("HSET", "ts1:beat:sent", "tick", now + minutes.note * MINUTE);

      const beat = startBeat("a", every(0.2));

      await expect.poll(() => sendings(beat), { interval: 10 }).toBeGreaterThan(1);
      await beat.stop();
      expect(beat.lines.filter((line) => line.includes("lies in the future"))).toEqual([
        expect.stringMatching(
          /^beat: The last run of tick lies in the future \(2\d{3}-.*Z\): a clock was ahead/,
        ),
      ]);
    },
  );

  test("given a clock that is set back by an hour while Beat runs, when the next interval is over, then the entry is sent", async () => {
    let aheadMs = 60 * MINUTE;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
    const beat = startBeat("a", every(0.2), { clock });
    await expect.poll(() => sendings(beat), { interval: 10 }).toBeGreaterThan(1);

    aheadMs = 0;
    const before = sendings(beat);

    await expect.poll(() => sendings(beat), { interval: 10 }).toBeGreaterThan(before + 1);
    expect(beat.lines.join("\n")).toContain("a clock was ahead");
  });

  test("given a note that is ahead by less than a minute, when Beat starts, then it is believed: clocks of two machines differ", async () => {
    await redis.call("HSET", "ts1:beat:sent", "tick", Date.now() + 30_000);

    const beat = startBeat("a", every(0.2));
    await beat.said(/was already sent/);

    expect(sendings(beat)).toBe(0);
  });
});

describe("a broker that goes away", () => {
  test("given Redis killed for a while, when it is back, then Beat says so, goes on, and each due time came once", async () => {
    const dir = await mkdtemp(join(tmpdir(), "celery-beat-redis-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const place = { port: await freePort(), dir };
    const first = await startRedisServer([], place);
    const beat = startBeat("a", every(0.2), { broker: `${first.url}/0` });
    await beat.said(/Sending/);

    await first.stop();
    expect(await beat.said(/Connection error/)).toMatch(
      /beat: Connection error: .*127\.0\.0\.1.* Trying again in 2\.0 seconds\.\.\./,
    );
    const before = sendings(beat);
    const second = await startRedisServer([], place);
    onTestFinished(() => second.stop());

    await expect.poll(() => sendings(beat)).toBeGreaterThan(before + 1);
    await beat.stop();
    await using again = openConnection(`${second.url}/0`);
    expect(Number(await again.call("LLEN", "celery"))).toBe(sendings(beat) - before);
  });
});
