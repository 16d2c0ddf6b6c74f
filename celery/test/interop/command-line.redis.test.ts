import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeJson } from "../../src/protocol/json.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { type BothWorkers, OURS, shapeOf, startBothWorkers, THEIRS } from "./both-workers.ts";
import { proves } from "./compat.ts";

// Processes of Python and ours are started, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Both command lines look at both workers: nothing but `sw_ident` may tell the workers apart. */
const url = `${redisUrl()}/71`;
let both: BothWorkers;

beforeAll(async () => {
  both = await startBothWorkers(url);
}, 360_000);

afterAll(() => both?.[Symbol.asyncDispose]());

type Answers = Readonly<Record<string, unknown>>;

/** What both workers answer to `inspect`, asked by the real command line. */
async function ask(...words: readonly string[]): Promise<{ ours: unknown; theirs: unknown }> {
  const { status, output } = await both.runTheirs(
    "inspect",
    "-j",
    "-t",
    "10",
    "-d",
    `${OURS},${THEIRS}`,
    ...words,
  );
  expect(status).toBe(0);
  // Python writes Infinity, which is no JSON.
  const answers = decodeJson(output) as Answers;
  return { ours: answers[OURS], theirs: answers[THEIRS] };
}

/** Node by node, sorted: who answers first is a matter of luck. */
function blocks(output: string): readonly string[] {
  return output
    .split(/^(?=->)/m)
    .map((block) => block.trimEnd())
    .filter((block) => block.startsWith("->"))
    .map((block) => block.replace(/\n\n\d+ nodes? online\.$/, ""))
    .sort();
}

const answerOf = (output: string, node: string): string | undefined =>
  blocks(output)
    .find((block) => block.startsWith(`->  ${node}: `))
    ?.replace(`->  ${node}: `, "");

describe("celery inspect", () => {
  test("given a task that runs on each worker and one that waits for its time, when looked at, then both show the same", async () => {
    proves("Command line", "inspect active, scheduled, reserved, query_task", "python → ours");
    const running = await both.sendToBoth("control.wait", [3]);
    const later = await both.sendToBoth("control.add", [1, 2], { countdown: 600 });
    await until(async () => {
      const { ours, theirs } = await ask("active");
      return (ours as unknown[]).length === 1 && (theirs as unknown[]).length === 1;
    });

    const active = await ask("active");
    expect(shapeOf(active.ours)).toEqual(shapeOf(active.theirs));
    expect(active.ours).toMatchObject([
      { id: running.ours, name: "control.wait", args: [3], kwargs: {}, hostname: OURS, acknowledged: true },
    ]);
    const scheduled = await ask("scheduled");
    expect(shapeOf(scheduled.ours)).toEqual(shapeOf(scheduled.theirs));
    expect(scheduled.ours).toMatchObject([{ priority: 6, request: { id: later.ours, time_start: null } }]);
    expect(shapeOf(await ask("reserved"))).toEqual({ ours: [], theirs: [] });

    const known = await ask("query_task", running.ours, running.theirs, later.ours, later.theirs, "nobody's");
    expect(known.ours).toMatchObject({
      [running.ours]: ["active", { id: running.ours }],
      [later.ours]: ["scheduled", { id: later.ours }],
    });
    expect(Object.keys(known.ours as object)).toHaveLength(2);
    expect(known.theirs).toMatchObject({ [running.theirs]: ["active", { id: running.theirs }] });
    await both.runTheirs("control", "revoke", later.ours, later.theirs);
  });

  test("given both workers with work done, when asked for stats, then keys and types are the same", async () => {
    proves("Command line", "inspect stats", "python → ours");
    const ids = await both.sendToBoth("control.add", [1, 2]);
    for (const id of Object.values(ids)) expect(await both.python.get(id)).toEqual({ value: 3 });

    const { ours, theirs } = (await ask("stats")) as { ours: Answers; theirs: Answers };

    // What somebody set of the transport's options is theirs alone.
    const shape = (stats: Answers): unknown =>
      shapeOf({ ...stats, total: "", broker: { ...(stats["broker"] as object), transport_options: {} } });
    expect(shape(ours)).toEqual(shape(theirs));
    expect(ours["total"]).toMatchObject({ "control.add": expect.any(Number) as number });
    expect((ours["pool"] as Answers)["implementation"]).toBe((theirs["pool"] as Answers)["implementation"]);
    expect((ours["pool"] as Answers)["processes"]).toHaveLength(2);
  });

  test.each([
    "registered",
    "registered rate_limit max_retries",
    "active_queues",
    "report",
    "clock",
    "ping",
    "revoked",
    "memdump",
  ])("given both workers, when asked for %s, then keys and types are the same", async (command) => {
    proves("Command line", `inspect ${command.split(" ")[0]}`, "python → ours");

    const { ours, theirs } = await ask(...command.split(" "));

    expect(ours).not.toBeNull();
    expect(shapeOf(ours)).toEqual(shapeOf(theirs));
    if (command.startsWith("registered")) expect(ours).toEqual(theirs);
  });

  test("given settings that both have, when asked for conf, then they look the same, and secrets are hidden", async () => {
    proves("Command line", "inspect conf", "python → ours");

    const { ours, theirs } = (await ask("conf")) as { ours: Answers; theirs: Answers };

    for (const name of [
      "task_track_started",
      "task_send_sent_event",
      "worker_send_task_events",
      "result_backend",
    ])
      expect(ours[name], name).toEqual(theirs[name]);
    const all = (await ask("conf", "true")) as { ours: Answers; theirs: Answers };
    expect(Object.keys(all.ours).length).toBeGreaterThan(50);
    expect(all.ours["task_default_routing_key"]).toBe(all.theirs["task_default_routing_key"]);
  });

  test("given a command that nobody has, when both workers are asked, then the error is the same", async () => {
    const answers = await both.python.ask<Answers[]>({
      command: "broadcast",
      method: "bogus",
      limit: 2,
      timeout: 10,
    });

    expect(Object.assign({}, ...answers)).toEqual({
      [OURS]: { error: "KeyError('bogus')" },
      [THEIRS]: { error: "KeyError('bogus')" },
    });
  });
});

describe("our command line and the real one", () => {
  test.each([
    ["inspect", "ping"],
    ["inspect", "registered"],
    ["inspect", "active_queues"],
    ["inspect", "conf"],
    ["inspect", "query_task", "nobody's"],
    ["control", "rate_limit", "control.add", "100/m"],
    ["control", "rate_limit", "no.such.task", "100/m"],
    ["control", "rate_limit", "control.add", "x/m"],
    ["control", "time_limit", "control.add", "60", "120"],
    ["control", "pool_restart"],
    ["control", "autoscale", "5", "2"],
    ["control", "enable_events"],
    ["control", "heartbeat"],
  ])(
    "given both workers, when `celery %s %s` runs on both sides, then both write the same",
    async (...words) => {
      const isRefused = ["pool_restart", "autoscale"].includes(words[1] as string);
      const feature = `${words[0]} ${words[1]}${isRefused ? ", where it is not enabled" : ""}`;
      proves("Command line", feature, "ours → python");
      proves("Command line", feature, "python → ours");
      const args = [words[0] as string, "-t", "10", "-d", `${OURS},${THEIRS}`, ...words.slice(1)];

      const [theirs, ours] = [await both.runTheirs(...args), await both.runOurs(...args)];

      expect(ours.status).toBe(theirs.status);
      // A float of JSON that is a whole number is no float in JavaScript.
      const normal = (output: string): readonly string[] => blocks(output.replaceAll(/\b(\d+)\.0\b/g, "$1"));
      expect(normal(ours.output)).toEqual(normal(theirs.output));
      expect(blocks(ours.output)).toHaveLength(2);
      const [a, b] = [answerOf(theirs.output, OURS), answerOf(theirs.output, THEIRS)];
      if (words[0] === "control") expect(a).toBe(b);
    },
  );

  test("given both workers, when `celery status` runs on both sides, then both name them", async () => {
    proves("Command line", "status", "ours → python");
    proves("Command line", "status", "python → ours");
    for (const run of [both.runOurs, both.runTheirs]) {
      const { status, output } = await run("status", "-t", "10", "-d", `${OURS},${THEIRS}`);

      expect([status, blocks(output)]).toEqual([0, [`->  ${THEIRS}: OK`, `->  ${OURS}: OK`]]);
      expect(output).toMatch(/\n\n2 nodes online\.\n$/);
    }
  });

  test("given both workers, when `celery status --json` runs here, then it is JSON and nothing else: Celery adds the count", async () => {
    const { output } = await both.runOurs("status", "--json", "-t", "10", "-d", `${OURS},${THEIRS}`);

    expect(JSON.parse(output)).toEqual({ [OURS]: { ok: "pong" }, [THEIRS]: { ok: "pong" } });
  });

  test("given a node that is not there, when it is asked, then both say so and exit with 69", async () => {
    for (const run of [both.runOurs, both.runTheirs]) {
      const { status, output } = await run("inspect", "-t", "0.3", "-d", "nobody@nowhere", "ping");

      expect([status, output]).toEqual([69, "Error: No nodes replied within time constraint\n"]);
    }
  });
});

describe("celery control", () => {
  /** Has both end a task that runs, and looks at the answers and at what has become of the tasks. */
  async function expectTerminated(run: BothWorkers["runOurs"], command: readonly string[]): Promise<void> {
    const ids = await both.sendToBoth("control.wait", [60]);
    for (const id of Object.values(ids))
      await until(async () => (await both.python.ask({ command: "state", id })) === "STARTED");

    const nodes = ["-t", "10", "-d", `${OURS},${THEIRS}`];
    const { output } = await run("control", ...nodes, ...command, ids.ours, ids.theirs);

    expect(answerOf(output, OURS)).toBe(`OK\n        terminate: ${ids.ours}`);
    expect(answerOf(output, THEIRS)).toBe(`OK\n        terminate: ${ids.theirs}`);
    for (const id of Object.values(ids))
      expect(await both.python.get(id)).toMatchObject({ error: "TaskRevokedError" });
  }

  test("given tasks that run on both workers, when terminated by the real command line, then both end as revoked", async () => {
    proves("Remote control", "revoke with terminate", "python → ours");
    await expectTerminated(both.runTheirs, ["terminate", "KILL"]);
  });

  test("given tasks that run on both workers, when revoked with --terminate by ours, then both end as revoked", async () => {
    proves("Remote control", "revoke with terminate", "ours → python");
    await expectTerminated(both.runOurs, ["revoke", "--terminate"]);
  });

  test("given a queue that nobody takes from, when both are told to, then both do, until they are told to stop", async () => {
    proves("Remote control", "add_consumer and cancel_consumer", "python → ours");
    proves("Remote control", "add_consumer and cancel_consumer", "ours → python");
    const names = async (): Promise<readonly unknown[]> => {
      const { ours, theirs } = (await ask("active_queues")) as Record<string, readonly { name: string }[]>;
      return [ours, theirs].map((queues) => queues?.map(({ name }) => name).sort());
    };

    await both.runTheirs("control", "-t", "10", "-d", `${OURS},${THEIRS}`, "add_consumer", "extra");
    await expect.poll(names).toEqual([
      ["celery", "extra", "ts"],
      ["celery", "extra", "py"],
    ]);
    await both.runOurs("control", "-t", "10", "-d", `${OURS},${THEIRS}`, "cancel_consumer", "extra");
    await expect.poll(names).toEqual([
      ["celery", "ts"],
      ["celery", "py"],
    ]);
  });

  test("given both pools, when told to grow and to shrink, then stats count one more and one less", async () => {
    proves("Remote control", "pool_grow and pool_shrink", "python → ours");
    proves("Remote control", "pool_grow and pool_shrink", "ours → python");
    const sizes = async (): Promise<readonly number[]> => {
      const stats = (await ask("stats")) as Record<string, { pool: { processes: readonly number[] } }>;
      return [stats["ours"], stats["theirs"]].map((node) => node?.pool.processes.length ?? 0);
    };

    await both.runTheirs("control", "-t", "10", "-d", `${OURS},${THEIRS}`, "pool_grow", "1");
    await expect.poll(sizes).toEqual([3, 3]);
    await both.runOurs("control", "-t", "10", "-d", `${OURS},${THEIRS}`, "pool_shrink", "1");
    await expect.poll(sizes).toEqual([2, 2]);
  });

  test("given names as patterns, when Python asks by them, then only our fitting worker answers", async () => {
    proves("Remote control", "destination, pattern and matcher", "python → ours");
    const nodes = async (options: object): Promise<readonly string[]> => {
      const answers = await both.python.ask<Answers[]>({ command: "broadcast", method: "ping", ...options });
      return answers.flatMap(Object.keys).sort();
    };

    expect(await nodes({ pattern: "t?@*", matcher: "glob", limit: 1, timeout: 10 })).toEqual([OURS]);
    expect(await nodes({ pattern: "(ts|py)@", matcher: "pcre", limit: 2, timeout: 10 })).toEqual([
      THEIRS,
      OURS,
    ]);
    expect(await nodes({ destination: [OURS], timeout: 10 })).toEqual([OURS]);
  });
});

describe("celery control shutdown", () => {
  test("given both workers, when both command lines end one each, then nobody answers, and both are gone", async () => {
    proves("Remote control", "shutdown", "python → ours");
    proves("Remote control", "shutdown", "ours → python");

    expect((await both.runTheirs("control", "-t", "0.5", "-d", OURS, "shutdown")).status).toBe(69);
    expect((await both.runOurs("control", "-t", "0.5", "-d", THEIRS, "shutdown")).status).toBe(69);

    expect(await both.ours.exited).toBe(0);
    await both.theirs.line(/Got shutdown from remote/);
    await until(() => both.theirs.child.exitCode !== null);
    expect(both.ours.lines).toContainEqual(
      expect.stringContaining("WARNING/MainProcess] Got shutdown from remote"),
    );
  });
});
