import { InvalidArgument } from "../../protocol/errors.ts";
import type { Sig } from "./sig.ts";

/** Of a `Signature` its dict, of a dict itself. @throws InvalidArgument for what is no signature. */
export function toSig(input: unknown): Sig {
  if (typeof input === "object" && input !== null) {
    const dict = "toJSON" in input && typeof input.toJSON === "function" ? (input.toJSON() as object) : input;
    if (typeof (dict as Sig).task === "string") return complete(dict as Partial<Sig> & { task: string });
  }
  throw new InvalidArgument(
    `${String(input)} is no signature. Make one with task.s(…) or app.signature(name, …).`,
  );
}

/** Celery's dict, with what senders in other languages leave out. */
function complete(dict: Partial<Sig> & { task: string }): Sig {
  const { args, kwargs, options } = dict;
  if (args && kwargs && options && "immutable" in dict && "subtask_type" in dict) return dict as Sig;
  return {
    ...dict,
    args: args ?? [],
    kwargs: kwargs ?? {},
    options: options ?? {},
    subtask_type: dict.subtask_type ?? null,
    immutable: dict.immutable ?? false,
  };
}
