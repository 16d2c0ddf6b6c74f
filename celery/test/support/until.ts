import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for what sends no event: asks again every few milliseconds until the answer is yes.
 *
 * @throws Error after `limitMs`, so that a test that waits in vain says for what.
 */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${String(condition)}`);
    await sleep(5);
  }
}
