import { DecodeError } from "./errors.ts";

/**
 * A result before anybody asks for it: the id of a task, or of a group with its members, and what came before it. The tuple form of it
 * is what Celery stores as `children` and for saved groups.
 */
export interface ResultNode {
  readonly id: string;
  parent: ResultNode | null;
  /** Null: a task. */
  readonly nodes: ResultNode[] | null;
}

/** `[[id, parent], null]` for a task, `[[id, parent], [member, …]]` for a group. */
export type ResultTuple = readonly [
  readonly [id: string, parent: ResultTuple | null],
  readonly ResultTuple[] | null,
];

/** @see celery 5.7.0 result.py, `as_tuple` */
export function toTuple(node: ResultNode): ResultTuple {
  return [[node.id, node.parent && toTuple(node.parent)], node.nodes && node.nodes.map(toTuple)];
}

/** @throws DecodeError for what is no result. @see celery 5.7.0 result.py, `result_from_tuple` */
export function readTuple(value: unknown): ResultNode {
  if (typeof value === "string") return { id: value, parent: null, nodes: null };
  const [head, nodes] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const [id, parent] = Array.isArray(head) ? (head as readonly unknown[]) : [head, null];
  if (typeof id !== "string") throw new DecodeError(`Not a result: ${JSON.stringify(value)}`);
  return {
    id,
    parent: parent ? readTuple(parent) : null,
    nodes: Array.isArray(nodes) ? nodes.map(readTuple) : null,
  };
}
