import type { LamportClock } from "../runtime/lamport-clock.ts";
import type { ControlCommand } from "./mailbox.ts";

/** The commands of a node that is no worker. `hello` is what a Python worker asks its neighbours when it starts. */
export function standardCommands(lamport: LamportClock): Readonly<Record<string, ControlCommand>> {
  return {
    ping: () => ({ ok: "pong" }),
    clock: () => ({ clock: lamport.value }),
    hello: () => ({ revoked: [], clock: lamport.forward() }),
  };
}
