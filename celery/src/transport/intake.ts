import type { RedisConnection } from "../redis/connection.ts";
import type { Log } from "../runtime/log.ts";
import { sleep } from "../runtime/sleep.ts";
import type { BrokerLink } from "./broker-link.ts";
import type { ClaimIds } from "./claim-ids.ts";
import { type ClaimCall, Claimer, type ClaimReply, type ListFault } from "./claimer.ts";
import { QueueCycle, type QueueOrder } from "./queue-order.ts";
import type { Claim } from "./transport.ts";
import { WorkWaiter } from "./waiter.ts";

export interface IntakeDeps {
  readonly url: string;
  readonly workerId: string;
  readonly ttlMs: number;
  readonly ids: ClaimIds;
  readonly lists: readonly string[];
  readonly queueOrder: QueueOrder | undefined;
  readonly link: BrokerLink;
  readonly log: Log;
  isHeld(claimId: string): boolean;
  /** These are ours from now on. */
  onTaken(claims: readonly Claim[]): void;
  /** Nobody asks for these any more. */
  giveBack(claims: readonly Claim[]): void;
  /** An answer was lost: Redis may have claims for us that we do not know of. */
  onDoubt(): void;
}

/** The same trouble with a queue is reported this often. */
const FAULT_LOG_MS = 30_000;
/** Between two calls that Redis refuses. */
const REFUSED_MS = 1000;

/**
 * How a worker comes by its messages: it asks for them one call after the other; and when there are none, a call stands ready in Redis for the
 * moment in which one comes.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #claimer: Claimer;
  readonly #waiter: WorkWaiter;
  readonly #cycle: QueueCycle;
  readonly #faultsLogged = new Map<string, number>();
  #underWay: Promise<readonly Claim[]> | undefined;
  /** The last call was refused, though the line is up. */
  #isRefused = false;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#cycle = new QueueCycle(deps.lists, deps.queueOrder ?? "round_robin");
    this.#claimer = new Claimer(deps.workerId, deps.ids, this.#cycle, deps.ttlMs);
    this.#waiter = new WorkWaiter(deps.url, deps.lists, deps.link, (claims) => deps.giveBack(claims));
  }

  /** It is not known what a call got. */
  get hasLost(): boolean {
    return this.#claimer.hasLost;
  }

  /** A call is under way that is answered soon. */
  get isAsking(): boolean {
    return this.#underWay !== undefined;
  }

  /** The answer to a call may be on its way that makes this a claim. */
  isAsked(claimId: string): boolean {
    return this.#claimer.isAsked(claimId);
  }

  /** The first call leaves at once, before whatever else the caller does in this turn. */
  claim(max: number): Promise<readonly Claim[]> {
    return this.#alone(async () => {
      if (max < 1 || !this.#deps.link.isUp) return [];
      const found = this.hasLost ? await this.#recover() : [];
      if (found.length > 0) return found;
      return this.#take(await this.#claimer.claim(this.#deps.link.connection, max));
    });
  }

  async claimNext(max: number, signal: AbortSignal): Promise<readonly Claim[]> {
    if (max < 1) return [];
    if (this.hasLost && this.#deps.link.isUp) {
      const found = await this.#alone(() => this.#recover());
      if (found.length > 0) return found;
    }
    // Whoever is refused would be so again at once: the message that woke it is still there.
    if (this.#isRefused) {
      await sleep(REFUSED_MS, signal);
      return [];
    }
    const call = this.#claimer.prepare(max);
    const claims = await this.#waiter.wait(signal, (redis) => this.#takeStanding(redis, call));
    return signal.aborted ? [...claims, ...(await this.#retract())] : claims;
  }

  /** Gives back what calls got whose answers were lost: nobody may ask for more for a long time. */
  async giveBackLost(): Promise<void> {
    this.#deps.giveBack(await this.#alone(() => this.#recover()));
  }

  /** @param list is looked into from the next call on. */
  async addList(list: string, all: readonly string[]): Promise<void> {
    this.#cycle.add(list);
    await this.#waiter.setQueues(all);
  }

  async removeList(list: string, all: readonly string[]): Promise<void> {
    this.#cycle.remove(list);
    await this.#waiter.setQueues(all);
    this.#deps.giveBack(await this.#retract());
  }

  /** Settles when everything that was taken is known, which may take as long as Redis is away. */
  async close(): Promise<void> {
    await this.#waiter.close();
    await this.#underWay;
    if (this.hasLost) await this.#deps.link.run(() => this.#recover());
  }

  #alone(work: () => Promise<readonly Claim[]>): Promise<readonly Claim[]> {
    if (this.#underWay) return this.#underWay.then(() => this.#alone(work));
    this.#underWay = work()
      .catch((error: unknown) => this.#onFailed(error))
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }

  /** What it asks for comes with the push that it waits behind. A line that breaks is told by the worker's own connection. */
  async #takeStanding(redis: RedisConnection, call: ClaimCall): Promise<readonly Claim[] | undefined> {
    try {
      const reply = await this.#claimer.stand(redis, call);
      return reply.isVoid || reply.faults.length > 0 ? undefined : this.#take(reply);
    } catch {
      this.#deps.onDoubt();
      return undefined;
    }
  }

  #take({ claims, faults }: Pick<ClaimReply, "claims" | "faults">): readonly Claim[] {
    this.#isRefused = false;
    this.#report(faults);
    if (claims.length > 0) this.#deps.onTaken(claims);
    return claims;
  }

  /** One answer of several to a call may have been lost, and another have come. */
  async #recover(): Promise<readonly Claim[]> {
    const claims = await this.#claimer.recover(this.#deps.link.connection);
    return this.#take({ claims: claims.filter(({ id }) => !this.#deps.isHeld(id)), faults: [] });
  }

  /** Ends the standing calls. @returns what they got in the last moment. */
  async #retract(): Promise<readonly Claim[]> {
    const ended = this.#waiter.retract();
    if (!this.#deps.link.isUp) return []; // what was taken is found with the next call, or by the other workers
    await ended;
    return this.hasLost ? this.#alone(() => this.#recover()) : [];
  }

  #onFailed(error: unknown): readonly Claim[] {
    this.#deps.onDoubt();
    try {
      this.#deps.link.report(error);
    } catch (refusal) {
      this.#isRefused = true;
      const reason = refusal instanceof Error ? refusal.message : String(refusal);
      this.#report([{ queue: this.#cycle.lists.join(","), reason }]);
    }
    return [];
  }

  #report(faults: readonly ListFault[]): void {
    for (const { queue, reason } of faults) {
      const last = this.#faultsLogged.get(queue) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() - last < FAULT_LOG_MS) continue;
      this.#faultsLogged.set(queue, performance.now());
      this.#deps.log.error({ queue, reason }, "cannot take messages from a queue");
    }
  }
}
