import type { ClientMessage, ErrorCode, PaneId } from "server/protocol";

type Asking = Extract<ClientMessage, { request: string }>;
type WithoutId<M> = M extends unknown ? Omit<M, "request"> : never;

/** A message that the server answers with `done` or `error`; the link adds the id. */
export type Question = WithoutId<Asking>;

export type Reply =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: ErrorCode | "offline"; readonly message: string };

/** The way to the server. Nothing is queued while it is away: whoever calls is told at once. */
export interface Link {
  /** Settles with the server's answer, or with `offline` when there is no connection or it ends first. */
  ask(question: Question): Promise<Reply>;
  /** @returns false when there is no connection; nothing was sent. */
  tell(message: ClientMessage): boolean;
  /** Keystrokes for a pane. @returns false when there is no connection; nothing was sent. */
  input(pane: PaneId, bytes: Uint8Array): boolean;
  /** Ends the wait before the next attempt. */
  retryNow(): void;
}
