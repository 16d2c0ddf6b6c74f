import { describe, expect, test } from "vitest";
import { type RawEvent, State } from "../../events/index.ts";
import { readKeys } from "./keys.ts";
import { type Action, type Model, makeModel, press, showAnswers } from "./model.ts";
import { width } from "./text.ts";
import { render, settle } from "./view.ts";

const NOW = 5000;
let clock = 0;
const anEvent = (type: string, fields: Readonly<Record<string, unknown>>): RawEvent => ({
  type,
  hostname: "w1@vm",
  utcoffset: 0,
  pid: 7,
  clock: ++clock,
  timestamp: 4000 + clock,
  ...fields,
});

function aModel(...events: readonly RawEvent[]): Model {
  const state = new State();
  for (const event of events) state.event(event, NOW);
  return makeModel(state);
}

/** A worker and three tasks, `c` the newest. */
const aBusyModel = (): Model =>
  aModel(
    anEvent("worker-heartbeat", {
      freq: 2,
      active: 1,
      processed: 1234,
      loadavg: [0.5, 0.25, 1],
      sw_ident: "ts-celery",
    }),
    anEvent("task-received", { uuid: "a", name: "tasks.add", args: "(2, 3)", kwargs: "{}" }),
    anEvent("task-succeeded", { uuid: "a", result: "5", runtime: 0.51 }),
    anEvent("task-received", { uuid: "b", name: "tasks.fail", args: "('x',)", kwargs: "{'y': 1}" }),
    anEvent("task-failed", {
      uuid: "b",
      exception: "ValueError('no')",
      traceback: "Traceback:\n  line 1\nValueError: no",
    }),
    anEvent("task-received", { uuid: "c", name: "tasks.wait", args: "()", kwargs: "{}" }),
  );

const screen = (model: Model, columns = 100, rows = 24, color = false): readonly string[] =>
  render(model, { columns, rows, nowSeconds: NOW + 1, broker: "redis://localhost:6379/0", color });

function keys(model: Model, ...pressed: readonly string[]): { model: Model; actions: readonly Action[] } {
  const actions: Action[] = [];
  let now = model;
  for (const key of pressed) {
    const step = press(now, key);
    now = step.model;
    if (step.action) actions.push(step.action);
  }
  return { model: now, actions };
}

const marked = (model: Model): string => screen(model).find((line) => line.startsWith("▸")) ?? "";

describe("the screen", () => {
  test("given workers and tasks, when drawn, then each has its line, the newest task first", () => {
    const lines = screen(aBusyModel());

    expect(lines[1]).toBe(" 1 worker · 3 tasks · 6 events");
    expect(lines.find((line) => line.includes("●"))).toMatch(
      / ● w1@vm +1 running +1,234 done +load 0\.50 0\.25 1\.00/,
    );
    const tasks = lines.filter((line) => line.includes("tasks."));
    expect(tasks.map((line) => /[A-Z]+ +tasks\.\w+\(.*?\)/.exec(line)?.[0])).toEqual([
      "RECEIVED  tasks.wait()",
      "FAILURE   tasks.fail('x', **{'y': 1})",
      "SUCCESS   tasks.add(2, 3)",
    ]);
    expect(tasks[2]).toContain("0.510 s");
  });

  test.each([
    [100, 24],
    [80, 10],
    [200, 60],
    [20, 5],
    [1, 1],
  ])("given %i columns and %i rows, when drawn, then it fills exactly those", (columns, rows) => {
    for (const model of [
      aModel(),
      aBusyModel(),
      keys(aBusyModel(), "enter").model,
      keys(aBusyModel(), "?").model,
    ]) {
      const lines = screen(model, columns, rows);
      expect(lines).toHaveLength(rows);
      expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
    }
  });

  test("given a narrow screen, when drawn, then it shows less, and nothing by half", () => {
    const lines = screen(aBusyModel(), 40, 14);

    expect(lines.find((line) => line.includes("●"))).toBe(" ● w1@vm         1 running   1,234 done");
    expect(lines.filter((line) => line.includes("tasks."))).toEqual([
      "▸ RECEIVED  tasks.wait()                ",
      "  FAILURE   tasks.fail('x', **{'y': 1}… ",
      "  SUCCESS   tasks.add(2, 3)             ",
    ]);
    expect(lines.at(-1)?.trim()).toBe("↑↓ mark · ⏎ details · ? help · q quit");
    expect(screen(keys(aBusyModel(), "c").model, 40, 14).at(-1)).toContain(
      " Revoke? y yes · any other key no",
    );
    expect(screen(keys(aBusyModel(), "?").model, 40, 12).at(-1)).toContain("any key: back");
  });

  test("given a failed task, when there is room, then its row says what went wrong", () => {
    expect(screen(aBusyModel(), 160).find((line) => line.includes("FAILURE"))).toContain(
      "tasks.fail('x', **{'y': 1})  ValueError('no')",
    );
  });

  test("given a long name and ids that begin alike, when drawn, then their ends are shown", () => {
    const name = "myproject.billing.tasks.generate_monthly_invoice_for_all_customers";
    const uuid = "9333c663-ea03-42a3-a9de-91f7104ca8f7";
    const model = aModel(anEvent("task-received", { uuid, name, args: "()", kwargs: "{}" }));

    const row = marked(model);
    expect(screen(model, 110).find((line) => line.startsWith("▸"))).toContain("…104ca8f7");
    expect(row).toContain("generate_monthly");
    expect(row).not.toContain("myproject");
  });

  test("given a task that runs, when drawn, then it says for how long", () => {
    const model = aModel(anEvent("task-started", { uuid: "a" }));
    const lines = render(model, { columns: 80, rows: 24, nowSeconds: NOW + 75, broker: "", color: false });

    expect(lines.find((line) => line.includes("STARTED"))).toMatch(/ 75 s\s*$/);
  });

  test("given a text that would command the terminal, when drawn, then it cannot", () => {
    const evil = "\u001b]0;pwned\u0007\u001b[2J\nline";
    const model = aModel(anEvent("task-received", { uuid: "a", name: evil, args: evil, kwargs: "{}" }));

    for (const lines of [screen(model), screen(keys(model, "enter").model)])
      expect(lines.join("")).not.toMatch(/[^\P{C}]/u);
  });

  test("given a worker that fell silent, when drawn, then it says for how long", () => {
    const model = aModel(anEvent("worker-heartbeat", { freq: 2 }));
    const lines = render(model, { columns: 80, rows: 24, nowSeconds: NOW + 9, broker: "", color: false });

    expect(lines.find((line) => line.includes("○"))).toContain("not heard of for 9 s");
  });

  test("given wide characters, when drawn, then the columns stay in line", () => {
    const model = aModel(
      anEvent("task-received", { uuid: "a", name: "tasks.日本語", args: "('🥕',)", kwargs: "{}" }),
      anEvent("task-received", { uuid: "b", name: "tasks.ascii", args: "()", kwargs: "{}" }),
    );
    const rows = screen(model).filter((line) => line.includes("tasks."));

    expect(new Set(rows.map((line) => width(line.slice(0, line.indexOf("w1@vm"))))).size).toBe(1);
  });

  test("given colours, when drawn, then states are painted and the text is the same", () => {
    const model = aBusyModel();
    const painted = screen(model, 100, 24, true).join("\n");

    expect(painted).toContain("\u001b[31mFAILURE");
    const words = painted.split("\u001b").map((part, i) => (i === 0 ? part : part.replace(/^\[[\d;]*m/, "")));
    expect(words.join("")).toBe(screen(model).join("\n"));
  });
});

describe("keys", () => {
  test("given what a terminal sends, when read, then it is keys by name", () => {
    expect(readKeys("j\u001b[A\u001bOB\r\u007f\u0003é\u001b\u001b[5~q")).toEqual([
      "j",
      "up",
      "down",
      "enter",
      "backspace",
      "ctrl-c",
      "é",
      "escape",
      "pageup",
      "q",
    ]);
    expect(readKeys("\u001b[200~x")).toEqual(["x"]);
  });

  test("given a marked task, when new ones come, then the mark stays; at the top it follows the newest", () => {
    const { model } = keys(aBusyModel(), "down");
    expect(marked(model)).toContain("tasks.fail");

    model.state.event(
      anEvent("task-received", { uuid: "d", name: "tasks.new", args: "()", kwargs: "{}" }),
      NOW,
    );
    expect(marked(model)).toContain("tasks.fail");

    expect(marked(keys(model, "home").model)).toContain("tasks.new");
    expect(marked(keys(model, "end").model)).toContain("tasks.add");
    expect(marked(keys(model, "end", "down", "pageup").model)).toContain("tasks.new");
  });

  test("given a failed task, when its details are shown, then everything known is there, and q goes back", () => {
    const { model } = keys(aBusyModel(), "down", "enter");

    const text = screen(model, 100, 40).join("\n");
    expect(text).toMatch(/exception {3}ValueError\('no'\)/);
    expect(text).toMatch(/traceback {3}Traceback:\n {14} {2}line 1\n {14}ValueError: no/);
    expect(keys(model, "q").model.screen).toEqual({ kind: "tasks" });
  });

  test("given details longer than the screen, when scrolled past the end, then one key back moves the text", () => {
    const size = { columns: 80, rows: 8 };
    const atEnd = settle(keys(aBusyModel(), "down", "enter", "end").model, size);
    const back = settle(keys(atEnd, "up").model, size);

    expect(screen(atEnd, 80, 8).at(-2)).toContain("ValueError: no");
    expect(screen(back, 80, 8).at(-2)).toContain("line 1");
  });

  test("given a task, when it is revoked or terminated, then it is asked first", () => {
    expect(keys(aBusyModel(), "c", "n").actions).toEqual([]);
    expect(keys(aBusyModel(), "c", "y").actions).toEqual([{ kind: "revoke", uuid: "c", terminate: false }]);
    const { model, actions } = keys(aBusyModel(), "down", "t", "enter");
    expect(actions).toEqual([{ kind: "revoke", uuid: "b", terminate: true }]);

    expect(screen(model).join("\n")).toContain("waiting for answers…");
    const answered = showAnswers(model, ["w1@vm: terminate: b"]);
    expect(screen(answered).join("\n")).toContain("w1@vm: terminate: b");
    expect(showAnswers(keys(model, "q").model, ["too late"]).screen).toEqual({ kind: "tasks" });
  });

  test("given a rate limit typed, when entered, then only what can be one is taken", () => {
    const { model, actions } = keys(aBusyModel(), "l", "1", "x", "0", "0", "backspace", "/", "m");
    expect(screen(model).at(-1)).toContain(
      "Rate limit of tasks.wait: 10/m█  e.g. 10/s, 5/m, 100/h, 0 for none",
    );
    expect(actions).toEqual([]);

    expect(keys(model, "enter").actions).toEqual([{ kind: "rate", task: "tasks.wait", limit: "10/m" }]);
    expect(keys(model, "escape").model.screen).toEqual({ kind: "tasks" });
  });

  test("given no task at all, when keys are pressed, then nothing happens but help and quit", () => {
    const { model, actions } = keys(aModel(), "down", "enter", "c", "t", "l", "x");
    expect([model.screen, actions]).toEqual([{ kind: "tasks" }, []]);
    expect(keys(aModel(), "?").model.screen).toEqual({ kind: "help" });
    expect(keys(aModel(), "q").actions).toEqual([{ kind: "quit" }]);
    expect(keys(aModel(), "?", "ctrl-c").actions).toEqual([{ kind: "quit" }]);
  });
});
