import type { AsyncResult } from "../../backend/async-result.ts";
import type { GroupResult } from "../../backend/group-result.ts";
import { type ResultNode, toTuple } from "../../protocol/result-tuple.ts";
import type { CeleryApp } from "../types.ts";

/** The receipt for what was sent: of a group, or of a task with what came before it. */
export function toResult(app: CeleryApp, node: ResultNode): AsyncResult<unknown> | GroupResult<unknown> {
  return app.resultFromTuple(toTuple(node));
}
