import { expect, test } from "vitest";
import { openTerminalFeed, type Screen } from "./terminal-feed.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

const aScreen = (): Screen & { shown: string[] } => {
  const shown: string[] = [];
  return {
    shown,
    write: (data) => shown.push(`+${text(data)}`),
    restore: (data) => shown.push(`=${text(data)}`),
  };
};

const aFeed = (): { feed: ReturnType<typeof openTerminalFeed>; acked: number[] } => {
  const acked: number[] = [];
  return { feed: openTerminalFeed((count) => acked.push(count)), acked };
};

test("given output before a screen is there, when one is attached, then it gets everything in order", () => {
  const { feed } = aFeed();
  const screen = aScreen();
  feed.snapshot(10, bytes("screen"));
  feed.data(10, bytes("more"));

  feed.attach(screen);
  feed.data(14, bytes("!"));

  expect(screen.shown).toEqual(["=screen", "+more", "+!"]);
});

test("given held output, when a snapshot replaces it, then it is acknowledged and never shown", () => {
  const { feed, acked } = aFeed();
  const screen = aScreen();
  feed.data(0, bytes("old output"));

  feed.snapshot(10, bytes("new"));
  feed.attach(screen);

  expect(screen.shown).toEqual(["=new"]);
  expect(acked).toEqual([10]);
});

test("given output in an epoch, when the position is asked for, then it counts bytes received", () => {
  const { feed } = aFeed();
  expect(feed.position()).toBeUndefined();

  feed.epoch(2);
  feed.snapshot(100, bytes("a long screen"));
  feed.data(100, bytes("12345"));

  expect(feed.position()).toEqual({ epoch: 2, seq: 105 });
});

test("given a shell that was restarted, when nothing of it has come, then there is nothing to continue from", () => {
  const { feed } = aFeed();
  feed.epoch(1);
  feed.data(0, bytes("x"));

  feed.epoch(2);

  expect(feed.position()).toBeUndefined();
});

test("given a detached screen, when output comes, then it waits for the next screen", () => {
  const { feed } = aFeed();
  const [first, second] = [aScreen(), aScreen()];
  const detach = feed.attach(first);

  detach();
  feed.data(0, bytes("later"));
  feed.attach(second);

  expect(first.shown).toEqual([]);
  expect(second.shown).toEqual(["+later"]);
});
