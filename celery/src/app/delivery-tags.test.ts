import { expect, test } from "vitest";
import { makeDeliveryTags } from "./delivery-tags.ts";

test("given two senders, when each makes many tags, then all are UUIDs and none comes twice", () => {
  const senders = [makeDeliveryTags(), makeDeliveryTags()];
  const tags = senders.flatMap((next) => Array.from({ length: 5000 }, next));

  expect(new Set(tags).size).toBe(10_000);
  for (const tag of tags) {
    expect(tag).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
