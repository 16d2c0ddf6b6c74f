import { expect, test } from "vitest";
import { QueueCycle, type QueueOrder } from "./queue-order.ts";

test.each<[QueueOrder, readonly (readonly string[])[]]>([
  [
    "round_robin",
    [
      ["a", "c", "b"],
      ["c", "b", "a"],
      ["b", "a", "c"],
    ],
  ],
  [
    "priority",
    [
      ["b", "a", "c"],
      ["b", "a", "c"],
      ["b", "a", "c"],
    ],
  ],
  [
    "sorted",
    [
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["a", "b", "c"],
    ],
  ],
])(
  "given queues in the order %s, when it is looked three times, then they come as kombu's do",
  (order, looks) => {
    const cycle = new QueueCycle(["b", "a", "c"], order);

    expect([1, 2, 3].map(() => [...cycle.turn()])).toEqual(looks);
  },
);

test("given queues that come and go, then they find their place, and none is there twice", () => {
  const cycle = new QueueCycle(["b", "c"], "sorted");
  cycle.add("a");
  cycle.add("c");
  cycle.remove("b");
  cycle.remove("unknown");

  expect(cycle.turn()).toEqual(["a", "c"]);
});
