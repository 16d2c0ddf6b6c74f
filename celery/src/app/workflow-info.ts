import type { TaskMessage } from "../protocol/message.ts";

/** A task's place in a workflow, as its request tells it. Signatures are Celery's dicts. */
export interface WorkflowInfo {
  /** Of the group that it belongs to, and its position there. */
  readonly group: string | null;
  readonly groupIndex: number | null;
  /** Body of the chord that it is a part of. */
  readonly chord: unknown;
  /** What comes after it, reversed: the last element is next. */
  readonly chain: readonly unknown[] | null;
  /** Started after success, and after failure. */
  readonly callbacks: readonly unknown[] | null;
  readonly errbacks: readonly unknown[] | null;
  /** How often a task was replaced to get here. */
  readonly replacedTaskNesting: number;
  /** Names of the stamps, and their values. */
  readonly stampedHeaders: readonly string[] | null;
  readonly stamps: Readonly<Record<string, unknown>>;
}

export const NO_WORKFLOW: WorkflowInfo = {
  group: null,
  groupIndex: null,
  chord: null,
  chain: null,
  callbacks: null,
  errbacks: null,
  replacedTaskNesting: 0,
  stampedHeaders: null,
  stamps: {},
};

/** The very same object for every task that is in none. */
export function workflowOf({ headers, embed }: TaskMessage): WorkflowInfo {
  const { group, groupIndex, replacedTaskNesting, stampedHeaders, stamps } = headers;
  const { callbacks, errbacks, chain, chord } = embed;
  const isPlain = group === null && stampedHeaders === null && replacedTaskNesting === 0;
  if (isPlain && callbacks === null && errbacks === null && chain === null && !chord) return NO_WORKFLOW;
  return {
    group,
    groupIndex,
    chord,
    chain,
    callbacks,
    errbacks,
    replacedTaskNesting,
    stampedHeaders,
    stamps,
  };
}
