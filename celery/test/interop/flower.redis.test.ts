import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { redisUrl } from "../support/redis-url.ts";
import { until } from "../support/until.ts";
import { type BothWorkers, OURS, shapeOf, startBothWorkers, THEIRS } from "./both-workers.ts";
import { proves } from "./compat.ts";
import { type Fields, type Flower, startFlower } from "./flower.ts";

// Processes of Python and ours are started, which on a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** A real Flower looks at a worker of ours and one of Python's, and works their levers. */
const url = `${redisUrl()}/70`;
let both: BothWorkers;
let flower: Flower;

beforeAll(async () => {
  both = await startBothWorkers(url);
  flower = await startFlower(url);
}, 360_000);

afterAll(async () => {
  await flower?.[Symbol.asyncDispose]();
  await both?.[Symbol.asyncDispose]();
});

const look = <T>(path: string): Promise<T> => flower.look<T>(path);

describe("Flower's page of workers", () => {
  test("given both workers, when Flower asks them everything, then their answers have the same shape", async () => {
    proves("Flower", "workers and their details", "python → ours");

    const workers = await look<Record<string, Record<string, unknown>>>("/workers?refresh=1");

    expect(Object.keys(workers).sort()).toEqual([THEIRS, OURS]);
    const [ours, theirs] = [
      workers[OURS] as Record<string, unknown>,
      workers[THEIRS] as Record<string, unknown>,
    ];
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    for (const part of ["active_queues", "registered"])
      expect(shapeOf(ours[part]), part).toEqual(shapeOf(theirs[part]));
    expect(Object.keys(ours["stats"] as object).sort()).toEqual(
      Object.keys(theirs["stats"] as object).sort(),
    );
  });

  test("given both workers, when Flower draws its pages of them, then it finds everything it wants", async () => {
    proves("Flower", "workers and their details", "python → ours");
    const { site } = flower;

    for (const node of [OURS, THEIRS]) {
      const page = await fetch(`${site}/worker/${node}`);
      expect([page.status, (await page.text()).includes(node)]).toEqual([200, true]);
    }
    const rows = async (): Promise<readonly (Fields | undefined)[]> => {
      const { data } = (await (await fetch(`${site}/workers?json=1`)).json()) as { data: readonly Fields[] };
      return [OURS, THEIRS].map((node) => data.find(({ hostname }) => hostname === node));
    };
    // The row of a worker comes with its first heartbeat.
    await expect.poll(rows).toMatchObject([
      { status: true, sw_ident: "ts-celery" },
      { status: true, sw_ident: "py-celery" },
    ]);
    const [ours, theirs] = await rows();
    expect(Object.keys(shapeOf(ours) as object)).toEqual(
      expect.arrayContaining(["freq", "loadavg", "processed"]),
    );
    expect((shapeOf(ours) as Fields)["loadavg"]).toEqual((shapeOf(theirs) as Fields)["loadavg"]);
  });
});

describe("Flower's page of tasks", () => {
  test("given tasks on both workers, when they end, then Flower knows name, arguments, state, result and worker of each", async () => {
    proves("Flower", "tasks and their states", "python → ours");
    const good = await both.sendToBoth("control.add", [2, 3]);
    const bad = await both.sendToBoth("control.fail", ["no"]);
    const again = await both.sendToBoth("control.again", []);
    const info = (id: string): Promise<Fields> => look<Fields>(`/task/info/${id}`).catch(() => ({}));
    const whenIn = async (id: string, state: string): Promise<Fields> => {
      await until(async () => (await info(id))["state"] === state);
      return info(id);
    };

    for (const [node, id] of [
      [OURS, good.ours],
      [THEIRS, good.theirs],
    ] as const) {
      expect(await whenIn(id, "SUCCESS")).toMatchObject({
        name: "control.add",
        args: "[2, 3]",
        kwargs: "{}",
        result: "5",
        worker: node,
        runtime: expect.any(Number) as number,
        started: expect.any(Number) as number,
      });
    }
    const failure = await whenIn(bad.ours, "FAILURE");
    expect(failure["exception"]).toBe("RangeError('no')");
    expect(failure["traceback"]).toContain("control-app.ts");
    expect(await whenIn(again.ours, "SUCCESS")).toMatchObject({ retries: 1, result: "'at last'" });
    expect(shapeOf(await whenIn(again.theirs, "SUCCESS"))).toEqual(shapeOf(await info(again.ours)));
  });

  test("given a task that runs on our worker, when terminated in Flower, then it ends and Flower shows it revoked", async () => {
    proves("Flower", "revoke and terminate", "python → ours");
    const { ours, theirs } = await both.sendToBoth("control.wait", [60]);
    for (const id of [ours, theirs])
      await until(async () => (await both.python.ask({ command: "state", id })) === "STARTED");

    for (const id of [ours, theirs])
      expect((await flower.push(`/task/revoke/${id}`, { terminate: "true", signal: "SIGKILL" }))[0]).toBe(
        200,
      );

    for (const id of [ours, theirs]) {
      expect(await both.python.get(id)).toMatchObject({ error: "TaskRevokedError" });
      await until(async () => (await look<Fields>(`/task/info/${id}`))["state"] === "REVOKED");
    }
  });
});

describe("Flower's API of tasks", () => {
  test.each([
    ["apply", (queue: string) => [`/task/apply/control.add`, { args: [2, 3], queue }] as const],
    ["async-apply", (queue: string) => [`/task/async-apply/control.add`, { args: [2, 3], queue }] as const],
    ["send-task", (queue: string) => [`/task/send-task/control.add`, { args: [2, 3], queue }] as const],
  ])(
    "given both workers, when a task is sent to each by %s, then Flower has the same result of both",
    async (_how, call) => {
      proves("Flower", "apply a task", "python → ours");
      const results = await Promise.all(
        ["ts", "py"].map(async (queue) => {
          const [path, body] = call(queue);
          const [status, text] = await flower.send(path, body);
          const id = (JSON.parse(text) as Fields)["task-id"];
          const result = (): Promise<Fields> => look<Fields>(`/task/result/${String(id)}`);
          await until(async () => (await result())["state"] === "SUCCESS");
          const { "task-id": _id, ...rest } = await result();
          return [status, rest] as const;
        }),
      );

      expect(results[0]).toEqual([200, { state: "SUCCESS", result: 5 }]);
      expect(results[0]).toEqual(results[1]);
    },
  );

  test("given a task that waits, when revoked in Flower and not terminated, then neither worker runs it", async () => {
    proves("Flower", "revoke and terminate", "python → ours");
    const { ours, theirs } = await both.sendToBoth("control.add", [1, 1], { countdown: 2 });
    for (const id of [ours, theirs])
      await until(
        async () =>
          (await look<Fields>(`/task/info/${id}`).catch(() => ({}) as Fields))["state"] === "RECEIVED",
      );

    for (const id of [ours, theirs]) expect((await flower.push(`/task/revoke/${id}`))[0]).toBe(200);

    for (const id of [ours, theirs])
      expect(await both.python.get(id)).toMatchObject({ error: "TaskRevokedError" });
  });

  test("given messages that nobody takes, when Flower counts the queues, then it finds ours, too", async () => {
    proves("Flower", "lengths of queues", "python → ours");
    const { active_queues } = await look<{ active_queues: readonly Fields[] }>("/queues/length");
    expect(active_queues.map(({ name }) => name)).toEqual(expect.arrayContaining(["celery", "py", "ts"]));
  });
});

describe("Flower's buttons", () => {
  test.each([
    ["pool grow", "/worker/pool/grow/NODE?n=1", {}, 200],
    ["pool shrink", "/worker/pool/shrink/NODE?n=1", {}, 200],
    ["add consumer", "/worker/queue/add-consumer/NODE?queue=extra", {}, 200],
    ["cancel consumer", "/worker/queue/cancel-consumer/NODE?queue=extra", {}, 200],
    ["rate limit", "/task/rate-limit/control.add", { ratelimit: "200/m" }, 200],
    ["rate limit of no task", "/task/rate-limit/no.such", { ratelimit: "1/m" }, 404],
    ["rate limit that is none", "/task/rate-limit/control.add", { ratelimit: "x" }, 403],
    ["time limit", "/task/timeout/control.add", { soft: "60", hard: "120" }, 200],
    ["pool restart that is not allowed", "/worker/pool/restart/NODE", {}, 403],
    ["autoscale without an autoscaler", "/worker/pool/autoscale/NODE?min=1&max=3", {}, 403],
  ])(
    "given both workers, when %s is pushed for each, then Flower says the same of both",
    async (what, path, form, status) => {
      proves("Flower", what.replace(/ (?:of no|that is none).*/, ""), "python → ours");
      const said = await Promise.all(
        [OURS, THEIRS].map(async (node) => {
          const [code, text] = await flower.push(path.replace("NODE", node), { ...form, workername: node });
          return [code, text.replaceAll(node, "NODE")];
        }),
      );

      expect(said[0]).toEqual(said[1]);
      expect(said[0]?.[0]).toBe(status);
    },
  );

  test("given our worker, when it is shut down in Flower, then it ends, and Flower sees it go", async () => {
    proves("Flower", "shutdown", "python → ours");

    expect((await flower.push(`/worker/shutdown/${OURS}`))[0]).toBe(200);

    expect(await both.ours.exited).toBe(0);
    const status = await look<Fields>("/workers?status=1");
    await until(async () => (await look<Fields>("/workers?status=1"))[OURS] !== true);
    expect(status[THEIRS]).toBe(true);
  });
});
