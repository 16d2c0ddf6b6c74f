import { expect, test } from "vitest";
import { openFaultLab } from "../../test/support/fault-lab.ts";
import { redisUrl } from "../../test/support/redis-url.ts";
import { until } from "../../test/support/until.ts";

test("given a frozen worker, when another has taken its tasks over, then it neither runs nor stores them after it thaws", async () => {
  await using lab = await openFaultLab(`${redisUrl()}/14`);
  const frozen = await lab.startWorker(1);
  const [running] = await lab.send("fault.late", 1, () => 2000);
  await lab.begun(1);
  const waiting = await lab.send("fault.early", 3, () => 1);
  await until(() => frozen.lines.filter((line) => line.endsWith("received")).length === 4);

  frozen.killGroup("SIGSTOP");
  const other = await lab.startWorker(1);
  await Promise.all(waiting.map(({ result }) => result.get({ timeout: 60 })));
  await until(async () => (await lab.ledger()).begun.get(running?.n ?? -1) === 2);
  frozen.killGroup("SIGCONT");

  await frozen.line(/given to another worker|taken it over/);
  expect(await running?.result.get({ timeout: 60 })).toBe(running?.n);
  await other.line(new RegExp(`${running?.result.id}\\] succeeded`));
  const { begun } = await lab.ledger();
  expect(waiting.map(({ n }) => begun.get(n))).toEqual([1, 1, 1]);
  expect(frozen.lines.filter((line) => line.includes("succeeded"))).toEqual([]);

  other.kill("SIGTERM");
  await other.exited;
  const [after] = await lab.send("fault.late", 1, () => 1);
  expect(await after?.result.get({ timeout: 60 })).toBe(after?.n);
});
