import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { aPane, linesOf, workingRungs } from "../../test/panes.ts";
import { FLOOD_LIMITS } from "./flood-gate.ts";
import { Viewer } from "./viewer.ts";

// Real shells, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

const rungs = await workingRungs();

describe.each(rungs)("given a program that floods its pane by $rung", (pty) => {
  test("when it goes on, then another pane works, and Ctrl-C ends it with little left to show", async () => {
    await using pane = await aPane({ pty });
    await using other = await aPane({ pty, id: "producer" });
    const run = pane.run("yes");
    await once(pane.events, "flooded");

    const lines = linesOf(other);
    for (let round = 0; round < 5; round += 1) await other.run(`echo ${round}`);
    expect(lines).toEqual(["0", "1", "2", "3", "4"]);
    expect(pane.state).toMatchObject({ phase: "busy", command: "yes" });

    let afterwards = 0;
    pane.events.on("output", (bytes) => (afterwards += bytes.length));
    pane.interrupt();

    expect((await run).exit).toBe(130);
    expect(afterwards).toBeLessThan(3 * FLOOD_LIMITS.tailBytes);
    expect(await pane.run("echo calm again")).toMatchObject({ exit: 0 });
  });

  test("when nobody reads, then it is not held up, and what is sent to viewers stays small", async () => {
    await using pane = await aPane({ pty });
    let sent = 0;
    let skipped = 0;
    pane.events.on("flooded", (count) => (skipped += count));
    using viewer = new Viewer({ pane, send: ({ bytes }) => (sent += bytes.length), skipped: () => {} });
    viewer.attach();

    const lines = linesOf(pane);
    const end = await pane.run(
      "yes 'a line that is as long as a line of a log usually is' | head -n 300000; echo done",
    );

    expect(end.exit).toBe(0);
    expect(lines.at(-1)).toBe("done");
    expect(sent).toBeLessThan(300_000);
    expect(skipped + lines.length).toBeGreaterThan(250_000);
  });
});
