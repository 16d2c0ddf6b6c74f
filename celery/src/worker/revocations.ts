import type { ResultBackend } from "../backend/backend.ts";
import type { TerminateOptions } from "../control/index.ts";
import { isoFromMs } from "../protocol/time.ts";
import { celeryError } from "../protocol/wire-error.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Delivery, hasStarted } from "./delivery.ts";
import { type Revokes, stampsOf } from "./revokes.ts";
import type { WorkerLog } from "./worker-log.ts";

export interface RevocationsDeps {
  readonly revokes: Revokes;
  readonly backend: ResultBackend | undefined;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** What runs or waits for a slot here. */
  readonly held: () => readonly Delivery[];
  readonly terminate: (delivery: Delivery, signal: NodeJS.Signals) => void;
  /** Takes back what the pool has and has not begun. */
  readonly withdraw: (delivery: Delivery) => void;
  /** Called when there is more to remember. */
  readonly onChanged: () => void;
}

/** States of a task that nobody runs: only these are overwritten by REVOKED. @see celery 5.7.0 worker/control.py, `_revoke` */
const NOT_BEGUN: ReadonlySet<string> = new Set(["PENDING", "RECEIVED", "RETRY", "REJECTED"]);

/** Carries out what remote control revokes: remembers it, tells whoever waits for the result, ends what runs. */
export class Revocations {
  readonly #deps: RevocationsDeps;

  constructor(deps: RevocationsDeps) {
    this.#deps = deps;
  }

  ids(): readonly string[] {
    return this.#deps.revokes.ids();
  }

  /** Ids that another node or an earlier run has revoked. */
  adopt(ids: readonly string[]): void {
    this.#deps.revokes.add(ids);
    this.#deps.onChanged();
  }

  /** Settles when the results say REVOKED: of tasks that have not begun anywhere. */
  async revoke(ids: readonly string[], { terminate, signal }: TerminateOptions): Promise<void> {
    const wanted = new Set(ids);
    this.adopt(ids);
    const held = this.#deps.held().filter(({ message }) => wanted.has(message.headers.id));
    const running = new Set(held.filter(hasStarted).map(({ message }) => message.headers.id));
    this.#end(held, terminate ? signal : null);
    await Promise.all(ids.filter((id) => !running.has(id)).map((id) => this.#storeRevoked(id)));
  }

  /** @returns the ids that matched and run here, if they are to be terminated. */
  revokeByStamps(
    headers: Readonly<Record<string, readonly string[]>>,
    { terminate, signal }: TerminateOptions,
  ): Promise<readonly string[]> {
    this.#deps.revokes.addStamps(headers);
    const hit = this.#deps
      .held()
      .filter(({ message }) =>
        stampsOf(message.headers).some(({ header, value }) => headers[header]?.includes(value)),
      );
    this.#end(hit, terminate ? signal : null);
    return Promise.resolve(terminate ? hit.map(({ message }) => message.headers.id) : []);
  }

  #end(held: readonly Delivery[], signal: NodeJS.Signals | null): void {
    for (const delivery of held) {
      if (signal === null) this.#deps.withdraw(delivery);
      else this.#deps.terminate(delivery, signal);
    }
  }

  async #storeRevoked(taskId: string): Promise<void> {
    const { backend, clock, log } = this.#deps;
    if (!backend) return;
    try {
      const known = await backend.get(taskId);
      if (known && !NOT_BEGUN.has(known.status)) return;
      await backend.store({
        taskId,
        status: "REVOKED",
        result: celeryError("TaskRevokedError", "revoked"),
        traceback: null,
        children: [],
        dateDone: isoFromMs(clock.nowMs()),
      });
    } catch (error) {
      log.warn({ error }, `Failed to mark task ${taskId} as revoked in backend`);
    }
  }
}
