import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisArgument, RedisConnection } from "../redis/connection.ts";
import { type Deferred, makeDeferred } from "../runtime/deferred.ts";
import { type SettleItem, type SettleOutcome, Settler } from "./settler.ts";

/** A Redis that answers when it is told to. */
class Server {
  /** Ids of the claims in each call, in their order. */
  readonly calls: string[][] = [];
  readonly #answers: Deferred<readonly [string]>[] = [];
  readonly #sizes: number[] = [];

  readonly run = <T>(work: (redis: RedisConnection) => Promise<T>): Promise<T> => {
    const run = (_script: unknown, _keys: unknown, args: readonly RedisArgument[]): Promise<unknown> => {
      const ids = args.filter((arg) => /^claim-|^$/.test(String(arg))).map(String);
      const answer = makeDeferred<readonly [string]>();
      this.calls.push(ids.filter((id) => id !== ""));
      this.#answers.push(answer);
      this.#sizes.push(args.filter((arg) => arg === "finish" || arg === "release").length);
      return answer.promise;
    };
    return work({ run } as unknown as RedisConnection);
  };

  /** Answers the oldest call that is not answered yet. */
  async answer(): Promise<void> {
    this.#answers.shift()?.resolve(["d".repeat(this.#sizes.shift() ?? 0)]);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function ending(n: number, verb: SettleItem["verb"] = "finish"): SettleItem {
  return { verb, claimId: `claim-${n}`, args: [] };
}

/** The end of the event loop's turn. */
const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("given a worker that ends claims", () => {
  let server: Server;
  let held: number;
  let settler: Settler;
  let told: SettleOutcome[];
  const onSettled = (outcome: SettleOutcome | Error): void => {
    if (outcome instanceof Error) throw outcome;
    told.push(outcome);
  };

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
    });
    server = new Server();
    held = 0;
    told = [];
    settler = new Settler({ link: server, workerId: "w", claimsHeld: () => held });
  });
  afterEach(() => void vi.useRealTimers());

  test("when nothing else is held, then each end leaves with its turn, however short ago the last one left", async () => {
    for (const n of [1, 2]) {
      held = 1;
      settler.start(ending(n), onSettled);
      await turn();
      await server.answer();
    }

    expect(server.calls).toEqual([["claim-1"], ["claim-2"]]);
    expect(told).toEqual(["done", "done"]);
  });

  test("when others are held, then what ends within a millisecond of a call leaves together in the next", async () => {
    held = 5;
    settler.start(ending(1), onSettled);
    await turn();
    await server.answer();
    settler.start(ending(2), onSettled);
    await turn();
    settler.start(ending(3), onSettled);
    await turn();
    expect(server.calls).toEqual([["claim-1"]]);

    await pass(1);
    expect(server.calls).toEqual([["claim-1"], ["claim-2", "claim-3"]]);
  });

  test("when the last that was held ends, then nothing is waited for", async () => {
    held = 2;
    settler.start(ending(1), onSettled);
    await turn();
    await server.answer();
    settler.start(ending(2), onSettled);
    await turn();
    settler.start(ending(3), onSettled);
    await turn();

    expect(server.calls).toEqual([["claim-1"], ["claim-2", "claim-3"]]);
  });

  test("when somebody waits for one, then what waits leaves with it", async () => {
    held = 9;
    settler.start(ending(1), onSettled);
    await turn();
    await server.answer();
    settler.start(ending(2), onSettled);
    const released = settler.settle(ending(3, "release"));
    await turn();
    await server.answer();
    expect(await released).toBe("done");

    expect(server.calls).toEqual([["claim-1"], ["claim-2", "claim-3"]]);
  });

  test("when one can wait, then it leaves a millisecond later, alone if need be", async () => {
    settler.startPatiently(ending(1), onSettled);
    await turn();
    expect(server.calls).toEqual([]);

    await pass(1);
    expect(server.calls).toEqual([["claim-1"]]);
  });

  test("when one that can wait is taken back, then nobody is told, and what leaves meanwhile goes without it", async () => {
    held = 1;
    const patient = settler.startPatiently(ending(1), onSettled);
    settler.startPatiently(ending(2), onSettled);
    expect(settler.withdraw(patient)).toBe(true);
    settler.start(ending(1), onSettled);
    await turn();
    await server.answer();
    await pass(5);

    expect(server.calls).toEqual([["claim-1"], ["claim-2"]]);
    expect(settler.withdraw(patient)).toBe(false);
    expect(told).toEqual(["done"]);
  });

  test("when it is to be idle, then everything has left, and is answered for", async () => {
    held = 9;
    settler.start(ending(1), onSettled);
    await turn();
    settler.start(ending(2), onSettled);
    settler.startPatiently(ending(3), onSettled);
    let isIdle = false;
    const idle = settler.idle().then(() => (isIdle = true));
    await server.answer();
    expect([server.calls.at(-1), isIdle]).toEqual([["claim-3", "claim-2"], false]);
    await server.answer();
    await idle;

    expect(told).toHaveLength(3);
  });
});
