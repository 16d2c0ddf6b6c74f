import type { ClientMessage, ServerMessage } from "server/protocol";
import type { Question, Reply } from "../state/link.ts";

const NOT_CONNECTED: Reply = {
  ok: false,
  code: "offline",
  message: "The page is not connected to the server. Try again when it is back.",
};

/** Pairs each question with its `done` or `error`. */
export interface Requests {
  ask(question: Question, send: (message: ClientMessage) => boolean): Promise<Reply>;
  /** @returns whether the message answered one of our questions. */
  settle(message: Extract<ServerMessage, { type: "done" | "error" }>): boolean;
  /** The connection ended: nobody will answer what is open. */
  abandon(): void;
}

export function openRequests(): Requests {
  const open = new Map<string, (reply: Reply) => void>();
  let last = 0;
  return {
    async ask(question, send) {
      last += 1;
      const request = `r${last}`;
      if (!send({ ...question, request })) return NOT_CONNECTED;
      return new Promise((fulfil) => open.set(request, fulfil));
    },
    settle(message) {
      const fulfil = open.get(message.request ?? "");
      if (fulfil === undefined) return false;
      open.delete(message.request ?? "");
      fulfil(
        message.type === "done" ? { ok: true } : { ok: false, code: message.code, message: message.message },
      );
      return true;
    },
    abandon() {
      const waiting = [...open.values()];
      open.clear();
      for (const fulfil of waiting) fulfil(NOT_CONNECTED);
    },
  };
}
