import type { EventEmitter } from "node:events";
import type { CheckState } from "../protocol/index.ts";
import type { Expression } from "./expression.ts";
import type { Facts } from "./facts.ts";

/** The checks of the open lesson. Green is sticky: once seen it stays until `reset`. */
export interface CheckBoard {
  /** In the order of the text. */
  states(): readonly CheckState[];
  /** Looks at the facts again. Call it whenever they changed; it tells only of differences. */
  evaluate(): void;
  /** All red again. */
  reset(): void;
  readonly events: EventEmitter<{ changed: [states: readonly CheckState[]] }>;
}

/** One check as the board needs it; `CheckSpec` of `lessons/` is one. */
export interface CheckRule {
  readonly id: string;
  readonly title: string;
  readonly that: Expression;
  readonly because: string | null;
  readonly otherwise: string;
}

/** What `openCheckBoard` (`open-check-board.ts`) takes. */
export interface CheckBoardOptions {
  readonly checks: readonly CheckRule[];
  readonly facts: () => Facts;
  /** Greens of an earlier run of the server, from `workspace.progress.load()`. */
  readonly earlier?: readonly CheckState[];
}
