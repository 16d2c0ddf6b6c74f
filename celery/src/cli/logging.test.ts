import { expect, test } from "vitest";
import { makeCeleryLog, parseLogLevel } from "./logging.ts";

const NOW = new Date(2026, 10, 21, 10, 49, 8, 90).getTime();
const clock = { nowMs: () => NOW, monotonicMs: () => 0 };

function aLog(
  level: "DEBUG" | "INFO" | "WARNING",
  color = false,
): { lines: string[]; log: ReturnType<typeof makeCeleryLog> } {
  const lines: string[] = [];
  return {
    lines,
    log: makeCeleryLog({ level, color: () => color, clock, write: (text) => lines.push(text) }),
  };
}

test("given a record of a child, when it is logged, then the line is Celery's", () => {
  const { lines, log } = aLog("INFO");

  log.record({
    level: "INFO",
    processName: "ForkPoolWorker-2",
    text: "Task tasks.add[1] succeeded in 0.5s: 8",
  });

  expect(lines).toEqual([
    "[2026-11-21 10:49:08,090: INFO/ForkPoolWorker-2] Task tasks.add[1] succeeded in 0.5s: 8\n",
  ]);
});

test("given level WARNING, when less is logged, then nothing is written", () => {
  const { lines, log } = aLog("WARNING");

  log.info({}, "quiet");
  log.warn({ error: new Error("away") }, "Redis is away");

  expect(lines).toEqual(['[2026-11-21 10:49:08,090: WARNING/MainProcess] Redis is away error="away"\n']);
});

test("given a terminal, when a warning is logged, then the whole line is yellow, as Celery paints it", () => {
  const { lines, log } = aLog("INFO", true);

  log.record({ level: "WARNING", processName: "MainProcess", text: "x" });
  log.record({ level: "INFO", processName: "MainProcess", text: "x" });

  expect(lines[0]).toBe("\u001b[1;33m[2026-11-21 10:49:08,090: WARNING/MainProcess] x\u001b[0m\n");
  expect(lines[1]).not.toContain("\u001b");
});

test("given colours that are taken away, when more is logged, then it is plain", () => {
  const lines: string[] = [];
  const style = { color: true };
  const log = makeCeleryLog({
    level: "INFO",
    color: () => style.color,
    clock,
    write: (text) => lines.push(text),
  });

  log.warn({}, "before");
  style.color = false;
  log.warn({}, "after");

  expect(lines.map((line) => line.includes("\u001b"))).toEqual([true, false]);
});

test("given a level in any case, when it is parsed, then it is known", () => {
  expect([parseLogLevel("info"), parseLogLevel("Warning"), parseLogLevel("loud")]).toEqual([
    "INFO",
    "WARNING",
    undefined,
  ]);
});

test("given text that would command the terminal, when it is logged, then it is shown; what a task prints may colour its own lines", () => {
  const { lines, log } = aLog("INFO");
  const record = {
    level: "WARNING",
    processName: "ForkPoolWorker-1",
    text: "\u001b[31mred\u001b[0m",
  } as const;

  log.record(record);
  log.record({ ...record, isPrinted: true });
  log.warn({ id: "\u009b2J" }, "\u001b[2J");

  expect(lines.map((line) => line.replace(/^.*?\] /, ""))).toEqual([
    "\\x1b[31mred\\x1b[0m\n",
    "\u001b[31mred\u001b[0m\n",
    '\\x1b[2J id="\\x9b2J"\n',
  ]);
});
