import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { BrowserTerminal } from "../../test/browser-terminal.ts";
import { aPane } from "../../test/panes.ts";
import type { Frame } from "../protocol/index.ts";
import type { Pane } from "./pane.ts";
import { Viewer } from "./viewer.ts";

// Real shells, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

interface Page {
  readonly browser: BrowserTerminal;
  readonly viewer: Viewer;
  readonly frames: Frame[];
  readonly skipped: number[];
  /** Bytes rendered and not yet acknowledged. */
  owed: number;
}

/** A page that acknowledges what it rendered, as long as it is not `slow`. */
function aPage(pane: Pane, options: { slow?: boolean; has?: { epoch: number; seq: number } } = {}): Page {
  const browser = new BrowserTerminal(pane.cols, pane.rows);
  const viewer = new Viewer({
    pane,
    send: (frame) => {
      browser.apply(frame, () => {
        if (frame.kind !== "data") return;
        if (options.slow === true) page.owed += frame.bytes.length;
        else viewer.ack(frame.bytes.length);
      });
    },
    skipped: (lines) => page.skipped.push(lines),
  });
  const page: Page = { browser, viewer, frames: browser.frames, skipped: [], owed: 0 };
  viewer.attach(options.has);
  return page;
}

/** A pane, and a terminal that sees every byte of it from the first on. */
async function aWatchedPane(): Promise<{ pane: Pane; reference: BrowserTerminal }> {
  const reference = new BrowserTerminal();
  const pane = await aPane({}, ({ events }) => {
    events.on("output", (bytes) => reference.terminal.write(bytes));
    events.on("state", ({ phase }) => phase === "starting" && reference.terminal.reset());
  });
  return { pane, reference };
}

const COLOURS = `for i in $(seq 300); do printf '\\033[3%dm[%d]\\033[0m \\033[1mtask\\033[0m 日本 🎉\\n' $((i % 8)) $i; done`;
const bytesOf = (frames: readonly Frame[], kind: Frame["kind"]): number =>
  frames.filter((frame) => frame.kind === kind).reduce((sum, { bytes }) => sum + bytes.length, 0);
/** When the page has rendered everything that the pane has put out. */
async function upToDate(page: Page, pane: Pane): Promise<void> {
  for (;;) {
    await page.browser.settled();
    const { seq } = await pane.snapshot(0);
    const last = page.frames.at(-1);
    if (last !== undefined && last.seq + (last.kind === "data" ? last.bytes.length : 0) === seq) return;
    await nextTurn();
  }
}

test("given a page that watches from the start, when commands print, then it shows what the server has, cell by cell", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  const page = aPage(pane);
  await upToDate(page, pane);

  await pane.run(COLOURS);

  await upToDate(page, pane);
  expect(await page.browser.cells(200)).toEqual(await reference.cells(200));
  expect(page.skipped).toEqual([]);
});

test("given a page that comes later, when it attaches, then its screen is the same cell by cell, and so is what follows", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  await pane.run(COLOURS);

  const page = aPage(pane);
  await upToDate(page, pane);
  expect(await page.browser.cells(200)).toEqual(await reference.cells(200));

  pane.write("echo half a line \x1b[D\x1b[D");
  await once(pane.events, "output");
  await pane.run("printf 'no newline at the end'");
  expect(await page.browser.cells(200)).toEqual(await reference.cells(200));
});

test("given a page that was away for a moment, when it says what it has, then it gets only the rest", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  const before = aPage(pane);
  await upToDate(before, pane);
  await pane.run("echo before");
  before.viewer[Symbol.dispose]();
  const last = before.frames.at(-1);
  const seq = (last?.seq ?? 0) + (last?.bytes.length ?? 0);

  await pane.run("echo while it was away");
  const after = aPage(pane, { has: { epoch: 1, seq } });

  expect(after.frames.map(({ kind }) => kind)).toEqual(["data"]);
  expect(after.frames[0]?.seq).toBe(seq);
  for (const frame of after.frames) before.browser.apply(frame);
  expect(await before.browser.cells()).toEqual(await reference.cells());
});

test.each([
  ["another shell's output", { epoch: 7, seq: 10 }],
  ["more than there is", { epoch: 1, seq: 4_000_000 }],
])("given a page that has %s, when it attaches, then it gets the whole screen", async (_name, has) => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;

  const page = aPage(pane, { has });
  await upToDate(page, pane);

  expect(page.frames[0]?.kind).toBe("snapshot");
  expect(await page.browser.cells()).toEqual(await reference.cells());
});

test("given a page that renders nothing, when a program prints on, then it is skipped, the program is not held up, and it catches up by a snapshot", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  const slow = aPage(pane, { slow: true });
  const fast = aPage(pane);
  await Promise.all([upToDate(slow, pane), upToDate(fast, pane)]);

  const end = await pane.run("seq -f 'line %.0f of a long output' 20000");

  expect(end.exit).toBe(0);
  expect(bytesOf(slow.frames, "data")).toBeLessThan(200_000);
  await slow.browser.settled();
  slow.viewer.ack(slow.owed);
  await upToDate(slow, pane);
  await upToDate(fast, pane);

  expect(slow.skipped[0]).toBeGreaterThan(10_000);
  expect(await slow.browser.cells()).toEqual(await reference.cells());
  expect(await fast.browser.cells(200)).toEqual(await reference.cells(200));
});

test("given a page cut off in the middle of a flood, when it comes back, then its screen is the server's, cell by cell", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  const page = aPage(pane);
  await upToDate(page, pane);

  const flooded = once(pane.events, "flooded");
  const run = pane.run("yes 'flood of words' | head -c 15000000; echo over");
  await flooded;
  page.viewer[Symbol.dispose]();
  const again = aPage(pane);
  await run;
  await upToDate(again, pane);

  expect(await again.browser.cells(200)).toEqual(await reference.cells(200));
  expect((await pane.text(2)).split("\n")[0]).toBe("over");
  expect(page.skipped.length).toBeGreaterThan(0);
});

test("given a page, when the shell is restarted, then it gets the new shell's screen", async () => {
  const { pane, reference } = await aWatchedPane();
  await using _ = pane;
  const page = aPage(pane);
  await upToDate(page, pane);
  await pane.run("echo of the old shell");

  await pane.restart();
  await pane.run("echo of the new shell");

  expect(await page.browser.cells()).toEqual(await reference.cells());
  expect((await pane.text()).includes("old shell")).toBe(false);
});

test("given a page that left, when output comes, then nothing is sent to it", async () => {
  const { pane } = await aWatchedPane();
  await using _ = pane;
  const page = aPage(pane);
  page.viewer[Symbol.dispose]();

  await pane.run("echo anyone?");

  expect(page.frames).toEqual([]);
});
