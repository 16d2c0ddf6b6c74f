import { describe, expect, test } from "vitest";
import { type CommandRun, runCommand } from "../../test/support/command-run.ts";
import { Celery } from "../app/celery.ts";
import { Exchange, Queue } from "../app/queues.ts";
import { UsageError } from "./command.ts";
import { commandLoaders } from "./commands.ts";

const app = new Celery("tools", {
  broker: "redis://127.0.0.1:1/3",
  task_queues: [
    "celery",
    new Queue("feeds", { exchange: new Exchange("media", "topic"), routingKey: "feed.#" }),
  ],
});

async function run(name: string, ...args: readonly string[]): Promise<CommandRun> {
  const load = commandLoaders[name];
  if (!load) throw new Error(`There is no ${name}.`);
  return runCommand(await load(), args, { app });
}

async function refusal(name: string, ...args: readonly string[]): Promise<string> {
  const error = await run(name, ...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return (error as UsageError).message;
}

describe("celery list", () => {
  test("given queues and an exchange, when bindings are listed, then it is Celery's table", async () => {
    expect((await run("list", "bindings")).stdout.split("\n")).toEqual([
      "Queue                        Exchange                     Routing Key",
      "----------------             ----------------             ----------------",
      "celery                       celery                       celery",
      "feeds                        media                        feed.#",
      "",
    ]);
    expect(await refusal("list")).toContain("celery list bindings");
    expect(await refusal("list", "queues")).toContain("No such command 'queues'");
  });
});

describe("celery graph", () => {
  test("given the steps of a start, when drawn, then it is a graph that Graphviz reads, each arrow between two steps", async () => {
    const { stdout } = await run("graph", "bootsteps");

    expect(stdout).toMatch(/^digraph dependencies \{\n( {4}.*\n)+\}\n$/);
    const nodes = new Set([...stdout.matchAll(/^ {4}"([^"]+)" \[/gm)].map(([, name]) => name));
    const arrows = [...stdout.matchAll(/^ {4}"([^"]+)" -> "([^"]+)"/gm)].flatMap(([, a, b]) => [a, b]);
    expect(arrows.length).toBeGreaterThan(20);
    expect(arrows.filter((name) => !nodes.has(name))).toEqual([]);
    expect((await run("graph", "bootsteps", "worker")).stdout).not.toContain("Mingle");
    expect(await refusal("graph", "bootsteps", "beat")).toContain("'beat' is neither worker nor consumer");
  });

  test("given named workers, when drawn, then they stand around their broker, and too many are drawn as one", async () => {
    const few = (await run("graph", "workers", "nodes:w1,w2", "threads:2,9", "backend:redis://:pw@h/1"))
      .stdout;
    expect(few).toContain('"w1" -> "redis://127.0.0.1:1/3"');
    expect(few).toContain('"w2" -> "redis://:**@h/1"');
    expect(few).toContain('label="P{…7…}"');
    expect(few).not.toContain("pw@");

    const many = (await run("graph", "workers", "nodes:a,b,c,d,e,f", "wmax:4", "generic")).stdout;
    expect(many).toContain('"… 3 more"');
    expect(many).toContain('"Broker (redis://)"');
    expect(await refusal("graph", "workers", "nodes:a", "wmax:x")).toContain("'x' is no number");
    expect(await refusal("graph", "tasks")).toContain("There are: bootsteps, workers");
  });

  test("given a broker that is away, when workers are to be drawn, then the status is 69", async () => {
    expect(await run("graph", "workers")).toMatchObject({ status: 69, stdout: "" });
  });
});

describe("celery inspect and celery control", () => {
  test("given --list, when asked, then every command is there with what it takes", async () => {
    const inspect = (await run("inspect", "--list")).stdout;
    const control = (await run("control", "--list")).stdout;

    expect(inspect).toMatch(/^Inspect Commands:\n {2}active +List of tasks currently being executed\.\n/);
    expect(inspect).toContain("query_task [id1 [id2 [... [idN]]]]");
    expect(inspect).not.toContain("hello");
    expect(control).toContain("rate_limit <task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>");
  });

  test.each([
    ["inspect", [], "Missing argument 'COMMAND'"],
    [
      "inspect",
      ["stat"],
      "Command stat not recognized. Did you mean stats? Available inspect commands: active,",
    ],
    ["inspect", ["revoke"], "Command revoke not recognized"],
    ["inspect", ["ping", "me"], "Command 'ping' takes no arguments."],
    ["control", ["rate_limit", "tasks.add"], "Command 'rate_limit' takes arguments: <task_name>"],
    [
      "control",
      ["pool_grow", "many"],
      "'many' is not a whole number. Command 'pool_grow' takes arguments: [N=1]",
    ],
    ["control", ["time_limit", "t", "1", "x"], "'x' is not a number."],
    ["control", ["ping"], "Command ping not recognized"],
    ["control", ["--terminate", "pool_grow"], "belong to revoke, not to pool_grow"],
  ])("given celery %s %j, when it cannot be, then it says what can", async (name, args, text) => {
    expect(await refusal(name, ...args)).toContain(text);
  });

  test("given a broker that is away, when asked, then the status is 69 and the broker is named", async () => {
    const { status, stderr } = await run("inspect", "ping");

    expect(status).toBe(69);
    expect(stderr).toMatch(/^Error: .*127\.0\.0\.1:1/);
  });
});

describe("what is not here", () => {
  test.each(["upgrade", "amqp", "logtool"])(
    "given celery %s, when run with whatever, then it says why not and what instead",
    async (name) => {
      const { status, stderr } = await run(name, "anything", "--at-all");

      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`^Error: celery ${name} is not here\\. .{40,}\\n$`));
    },
  );

  test("given a camera or what belongs to it, when watched, then it is refused with what to do instead", async () => {
    expect(await refusal("events", "--camera", "my.Camera")).toContain(
      "openEventReceiver and State of celery/events",
    );
    expect(await refusal("events", "--freq", "2")).toContain("'--frequency' belongs to --camera");
    expect(await refusal("events", "--detach")).toContain("'--detach' belongs to --camera");
    expect(await refusal("events")).toContain("celery events --dump");
  });

  test("given a shell of Python's, when asked for, then it is refused", async () => {
    expect(await refusal("shell", "-I")).toContain("'--ipython' chooses a shell of Python's");
    expect((await run("shell", "-T")).status).toBe(0);
  });

  test("given a migration that would never end or go anywhere, when asked for, then it is refused", async () => {
    expect(await refusal("migrate", "redis://a")).toContain("Missing argument 'DESTINATION'");
    expect(await refusal("migrate", "-F", "redis://a", "redis://b")).toContain("over and over");
  });
});
