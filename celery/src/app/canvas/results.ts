import type { Receipt } from "../../backend/async-result.ts";
import type { ResultMark } from "../../backend/backend.ts";
import { type ResultNode, toTuple } from "../../protocol/result-tuple.ts";
import type { CeleryApp } from "../types.ts";

/** The receipt for what was sent: of a group, or of a task with what came before it. @param markOf see `receiptOf` */
export function toResult(
  app: CeleryApp,
  node: ResultNode,
  markOf?: (id: string) => ResultMark | undefined,
): Receipt {
  return app.resultFromTuple(toTuple(node), markOf);
}
