import { expect, test, vi } from "vitest";
import { openFaultLab } from "../../test/support/fault-lab.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";

vi.setConfig({ testTimeout: 300_000 });

const WRONG_CLOCK = new URL("../../test/support/wrong-clock.mjs", import.meta.url).href;
const HOUR_MS = 3_600_000;
const COUNTDOWN = 1.5;

test.each([
  ["is an hour ahead", HOUR_MS, "start"],
  ["is an hour behind", -HOUR_MS, "start"],
  ["jumps an hour ahead while tasks wait", HOUR_MS, "signal"],
  ["jumps an hour back while tasks wait", -HOUR_MS, "signal"],
])(
  "given a worker whose clock %s, when tasks wait for their time, then none runs before it, none much later, none twice",
  async (_what, shiftMs, from) => {
    await using lab = await openFaultLab(`${redisUrl()}/67`);
    const worker = await lab.startWorker(2, {
      NODE_OPTIONS: `--import=${WRONG_CLOCK}`,
      CLOCK_SHIFT_MS: String(shiftMs),
      CLOCK_SHIFT_FROM: from,
    });
    const started = performance.now();
    const options = { countdown: COUNTDOWN, expires: 600 };
    const waiting = await Promise.all(
      [1, 2, 3].map((n) => lab.broker.app.sendTask("fault.add", [n, n], options)),
    );
    if (from === "signal") {
      await worker.line(/received/);
      worker.kill("SIGUSR2");
    }

    const ends = await Promise.all(
      waiting.map(async (result) => [await result.get({ timeout: 60 }), performance.now() - started]),
    );

    expect(ends.map(([value]) => value)).toEqual([2, 4, 6]);
    for (const [, elapsedMs] of ends) expect(elapsedMs).toBeGreaterThan(COUNTDOWN * 1000 - 50);
    for (const [, elapsedMs] of ends) expect(elapsedMs).toBeLessThan(COUNTDOWN * 1000 + 20_000);
    const late = await lab.send("fault.late", 10, () => 1);
    expect(await Promise.all(late.map(({ result }) => result.get({ timeout: 60 })))).toEqual(
      late.map(({ n }) => n),
    );
    await lab.drained();
    const successes = (): number => worker.lines.filter((line) => line.includes("succeeded")).length;
    await until(() => successes() >= waiting.length + late.length);
    expect(successes()).toBe(waiting.length + late.length);
    expect(await lab.broker.leftovers()).toEqual({ waiting: 0, unacked: 0, unackedIndex: 0, dead: 0 });
  },
);
