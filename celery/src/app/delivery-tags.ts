import { randomUUID } from "node:crypto";

const COUNTED = 0x1_0000_0000_0000;

/**
 * Delivery tags of one sender: a random UUID whose last twelve digits are counted from a random start. A tag has to be unique, not
 * secret, and making one is to cost nothing beside making the message. (A task's id is random: it gives access to the result.)
 */
export function makeDeliveryTags(): () => string {
  const seed = randomUUID();
  const prefix = seed.slice(0, 24);
  let next = Number.parseInt(seed.slice(24), 16);
  return () => {
    next = (next + 1) % COUNTED;
    return prefix + next.toString(16).padStart(12, "0");
  };
}
