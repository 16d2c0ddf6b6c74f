import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import { openEventReceiver, State } from "../../src/events/index.ts";
import { decodeBroadcast } from "../../src/protocol/broadcast.ts";
import { openSubscriber } from "../../src/redis/subscriber.ts";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { startCelery } from "../support/worker-process.ts";
import { type BothWorkers, OURS, shapeOf, startBothWorkers, THEIRS } from "./both-workers.ts";
import { proves } from "./compat.ts";
import { startPython } from "./python-celery.ts";

// Processes of Python and ours are started, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** What workers and clients of both kinds tell, and what monitors of both kinds make of it. */
const url = `${redisUrl()}/72`;
const CELERY = new URL("../../bin/celery.mjs", import.meta.url).pathname;

type Event = Readonly<Record<string, unknown>>;

let both: BothWorkers;
/** Every event as it was on the wire. */
const seen: Event[] = [];
const listener = openSubscriber(url);

beforeAll(async () => {
  listener.events.on("message", (_channel, text) => {
    const body = decodeBroadcast(text)?.body;
    seen.push(...((Array.isArray(body) ? body : [body]) as Event[]));
  });
  await listener.subscribePattern("/72.celeryev/*");
  both = await startBothWorkers(url);
}, 360_000);

afterAll(async () => {
  await both?.[Symbol.asyncDispose]();
  await listener[Symbol.asyncDispose]();
});

const find = (type: string, node: string, uuid?: string): Event | undefined =>
  seen.find(
    (event) =>
      event["type"] === type && event["hostname"] === node && (uuid === undefined || event["uuid"] === uuid),
  );

/** The event of this type from each of the two, once they are there. */
async function pair(
  type: string,
  ids?: { ours: string; theirs: string },
): Promise<{ ours: Event; theirs: Event }> {
  const both = (): readonly (Event | undefined)[] => [
    find(type, OURS, ids?.ours),
    find(type, THEIRS, ids?.theirs),
  ];
  await until(() => both().every((event) => event !== undefined));
  const [ours, theirs] = both() as [Event, Event];
  return { ours, theirs };
}

describe("events of our worker and of Python's", () => {
  test("given tasks of every fate on both, when they are told, then every event has the same fields of the same kinds", async () => {
    const good = await both.sendToBoth("control.add", [2, 3]);
    const bad = await both.sendToBoth("control.fail", ["no"]);
    const again = await both.sendToBoth("control.again", []);
    const gone = await both.sendToBoth("control.wait", [60]);
    await pair("task-started", gone);
    for (const id of Object.values(gone))
      await both.python.ask({
        command: "broadcast",
        method: "revoke",
        arguments: { task_id: id, terminate: true, signal: "KILL" },
        timeout: 1,
      });

    for (const [type, ids] of [
      ["task-received", good],
      ["task-started", good],
      ["task-succeeded", good],
      ["task-failed", bad],
      ["task-retried", again],
      ["task-revoked", gone],
    ] as const) {
      proves("Events", type, "python → ours");
      const { ours, theirs } = await pair(type, ids);
      expect(shapeOf(ours), type).toEqual(shapeOf(theirs));
      expect(Object.keys(ours), type).toEqual(Object.keys(theirs));
    }
    const received = await pair("task-received", good);
    expect(received.ours).toMatchObject({ name: "control.add", args: received.theirs["args"], kwargs: "{}" });
    expect((await pair("task-revoked", gone)).ours).toMatchObject({
      terminated: true,
      signum: 9,
      expired: false,
    });
  });

  test("given both workers, when they live, then online and heartbeat tell the same of both but who they are", async () => {
    proves("Events", "worker-online, worker-heartbeat", "python → ours");
    for (const type of ["worker-online", "worker-heartbeat"]) {
      const { ours, theirs } = await pair(type);
      expect(shapeOf(ours), type).toEqual(shapeOf(theirs));
      expect(ours["freq"]).toBe(theirs["freq"]);
      expect([ours["sw_ident"], theirs["sw_ident"]]).toEqual(["ts-celery", "py-celery"]);
    }
  });

  test("given tasks that tell of something of their own, when heard, then it is the same from both", async () => {
    proves("Events", "custom events (send_event)", "python → ours");
    const ids = await both.sendToBoth("control.tell", [3]);

    const { ours, theirs } = await pair("payment-refused", ids);

    expect(ours).toMatchObject({ amount: 3, uuid: ids.ours });
    const { retry: _retry, retry_policy: _policy, ...told } = theirs;
    expect(Object.keys(ours).sort()).toEqual(Object.keys(told).sort());
  });

  test("given the same task sent by both clients, when told, then the two have the same fields of the same kinds", async () => {
    proves("Events", "task-sent", "python → ours");
    const app = new Celery("control", { broker: url, backend: url, task_send_sent_event: true });
    onTestFinished(() => app.close());
    const ours = (await app.sendTask("control.add", [4, 5], { queue: "ts" })).id;
    const theirs = await both.python.send("control.add", [4, 5], { queue: "ts" });
    const sent = (uuid: string): Event | undefined =>
      seen.find((event) => event["type"] === "task-sent" && event["uuid"] === uuid);
    await until(() => sent(ours) !== undefined && sent(theirs) !== undefined);

    expect(shapeOf(sent(ours))).toEqual(shapeOf(sent(theirs)));
    expect(sent(ours)).toMatchObject({
      exchange: sent(theirs)?.["exchange"],
      routing_key: "ts",
      queue: "ts",
    });
  });
});

describe("what monitors make of it", () => {
  test("given a task on our worker, when Celery's own State folds its events, then it knows all of it", async () => {
    proves("Events", "State of a cluster", "python → ours");
    const folded = await both.python.ask({
      command: "fold",
      until: "SUCCESS",
      task: "control.add",
      args: [7, 8],
      queue: "ts",
    });

    expect(folded).toMatchObject({
      state: "SUCCESS",
      name: "control.add",
      args: "[7, 8]",
      result: "15",
      worker: OURS,
      workers: expect.arrayContaining([OURS]) as string[],
    });
  });

  test("given a task on a Python worker, when our State folds its events, then it knows all of it", async () => {
    proves("Events", "State of a cluster", "ours → python");
    const state = new State();
    const receiver = openEventReceiver(url);
    onTestFinished(() => receiver[Symbol.asyncDispose]());
    receiver.events.on("raw", (event) => state.event(event));
    await receiver.ready;

    const id = await both.python.send("control.again", [], { queue: "py" });
    await until(() => state.tasks.get(id)?.state === "SUCCESS");

    const task = state.tasks.get(id);
    expect(task).toMatchObject({ name: "control.again", worker: THEIRS });
    expect(task?.fields).toMatchObject({ args: "()", retries: 1, result: "'at last'", queue: "py" });
    await until(() => state.aliveWorkers(Date.now() / 1000).length === 2);
  });

  test("given both dumps of events, when tasks run on both workers, then both write the same lines", async () => {
    proves("Command line", "events --dump", "python → ours");
    proves("Command line", "events --dump", "ours → python");
    const theirs = await startPython(["-m", "celery", "-A", "control_app", "events", "--dump"], {
      REDIS_URL: url,
    });
    onTestFinished(() => theirs[Symbol.asyncDispose]());
    const ours = startCelery({ args: ["-b", url, "events", "--dump"], cwd: import.meta.dirname });
    onTestFinished(() => ours[Symbol.asyncDispose]());
    for (const dump of [ours, theirs]) {
      expect(await dump.line(/evdump/)).toBe("-> evdump: starting capture...");
      // Asked for at the start: they hear, then.
      for (const node of [OURS, THEIRS]) await dump.line(new RegExp(`^${node} .* heartbeat: `));
    }

    const ids = await both.sendToBoth("control.add", [2, 3]);

    for (const id of Object.values(ids)) {
      const [a, b] = [await ours.line(ended(id)), await theirs.line(ended(id))];
      expect(normal(a)).toBe(normal(b));
      // The client's word may come after the worker's last.
      for (const dump of [ours, theirs]) await dump.line(new RegExp(`task sent: control\\.add\\(${id}\\)`));
      const life = (lines: readonly string[]): readonly string[] =>
        lines.filter((line) => line.includes(`(${id})`)).map(normal);
      expect(life(ours.lines).toSorted()).toEqual(life(theirs.lines).toSorted());
    }
    ours.kill("SIGINT");
    expect(await ours.exited).toBe(0);
  });
});

const ended = (id: string): RegExp => new RegExp(`task succeeded: control.add\\(${id}\\)`);

/** Without the moment of arrival, the clock, which a listener sets for `task-sent`, and what JSON does not tell: 0.0 from 0. */
function normal(line: string): string {
  return line
    .replace(/local_received=[\d.]+/, "")
    .replace(/(task sent: .*)clock=\d+/, "$1")
    .replace(/utcoffset=0\.0$/, "utcoffset=0");
}

describe("celery events in a terminal", () => {
  test("given a real terminal, when keys are pressed and it is resized, then the view shows, asks, answers and leaves", async () => {
    proves("Command line", "events (live view)", "ours → python");
    const view = await startPython(
      ["pty_run.py", "24", "100", process.execPath, CELERY, "-b", url, "events"],
      { NO_COLOR: "1" },
    );
    onTestFinished(() => view[Symbol.asyncDispose]());
    let output = "";
    view.child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
    const type = (keys: string): void => void view.child.stdin?.write(keys);
    const shows = async (text: string): Promise<void> => {
      // In the newest frame.
      await until(() => output.slice(output.lastIndexOf("\u001b[1;1H")).includes(text)).catch(() => {
        throw new Error(`The view did not show ${text}:\n${output.slice(-3000)}`);
      });
    };

    await shows(`● ${THEIRS}`);
    await shows(`● ${OURS}`);
    const id = await both.python.send("control.wait", [60], { queue: "py" });
    await shows("STARTED   control.wait(");
    type("\r");
    await shows(id);
    type("t");
    await shows("Terminate? y yes");
    await shows(`control.wait …${id.slice(-8)}`);
    type("y");
    await shows(`${THEIRS}: terminate: ${id}`);
    type(" ");
    await shows("REVOKED   control.wait(");
    process.kill(view.pid, "SIGUSR1");
    await shows("\u001b[30;1H");
    type("q");

    expect((await once(view.child, "close"))[0]).toBe(0);
    expect(output).toContain("\u001b[?1049h");
    expect(output.trimEnd().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
  });
});

describe("a worker's end", () => {
  test("given both workers, when they end, then both say goodbye with the same fields", async () => {
    proves("Events", "worker-offline", "python → ours");
    both.ours.kill("SIGTERM");
    process.kill(both.theirs.pid, "SIGTERM");

    const { ours, theirs } = await pair("worker-offline");

    expect(shapeOf(ours)).toEqual(shapeOf(theirs));
  });
});
