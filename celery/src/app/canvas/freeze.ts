import type { ResultNode } from "../../protocol/result-tuple.ts";
import { isChainLedByTask, linkErrorTo, unrollBody } from "./compose.ts";
import {
  type ChainSig,
  type ChordSig,
  cloneSig,
  type GroupSig,
  isChain,
  isChord,
  isEmptyGroup,
  isGroup,
  makeChord,
  makeGroup,
  type Sig,
  unrollGroup,
} from "./sig.ts";

export interface FreezeDeps {
  newId(): string;
  /** The client's own id, which Celery puts into every frozen signature. */
  readonly replyTo: string;
  /** `task_allow_error_cb_on_chord_header` */
  readonly errbackOnHeader: boolean;
}

/** What a signature is told when it gets its id. */
export interface Place {
  /** Unless it has one already. */
  readonly id?: string | undefined;
  readonly groupId?: string | null | undefined;
  readonly groupIndex?: number | null | undefined;
  readonly chord?: Sig | null | undefined;
  readonly rootId?: string | null | undefined;
  readonly parentId?: string | null | undefined;
}

/**
 * Gives the signature and everything in it their ids, in place; returns what its result will be known by.
 * @see celery 5.7.0 canvas.py, the `freeze` of each kind
 */
export function freeze(sig: Sig, place: Place, deps: FreezeDeps): ResultNode {
  if (isChain(sig)) return freezeChain(sig, place, deps);
  if (isGroup(sig)) return freezeGroup(sig, place, deps);
  if (isChord(sig)) return freezeChord(sig, place, deps);
  return freezeTask(sig, place, deps);
}

function freezeTask(sig: Sig, place: Place, deps: FreezeDeps): ResultNode {
  const { options } = sig;
  options.task_id ??= place.id || deps.newId();
  if (place.rootId) options.root_id = place.rootId;
  if (place.parentId) options.parent_id = place.parentId;
  if (!("reply_to" in options)) options.reply_to = deps.replyTo;
  if (place.groupId && !("group_id" in options)) options.group_id = place.groupId;
  if (place.chord) options.chord = place.chord;
  if (place.groupIndex !== null && place.groupIndex !== undefined) options.group_index = place.groupIndex;
  return { id: options.task_id, parent: null, nodes: null };
}

function freezeChain(sig: ChainSig, place: Place, deps: FreezeDeps): ResultNode {
  const { results } = prepareSteps(sig, { ...place, args: sig.args, copy: false }, deps);
  const [last] = results;
  if (last === undefined) throw new Error("an empty chain has no result");
  return last;
}

/** @see celery 5.7.0 canvas.py, `group._freeze_group_tasks` */
export function freezeGroup(sig: GroupSig, place: Place, deps: FreezeDeps): ResultNode {
  const { options } = sig;
  const id = (options.task_id ??= deps.newId());
  if (place.groupId) options.group_id = place.groupId;
  if (place.chord) options.chord = place.chord;
  if (place.groupIndex !== null && place.groupIndex !== undefined) options.group_index = place.groupIndex;
  if (!("root_id" in options)) options.root_id = place.rootId ?? null;
  if (!("parent_id" in options)) options.parent_id = place.parentId ?? null;
  const inner: Place = { ...place, id: undefined, rootId: options.root_id, parentId: options.parent_id };
  const nodes: ResultNode[] = [];
  const tasks: Sig[] = [];
  for (const task of flattenGroup(sig)) {
    nodes.push(freeze(task, { ...inner, groupIndex: nodes.length }, deps));
    tasks.push(task);
  }
  // In place: a chord that was made from this group shares the list.
  sig.kwargs.tasks.splice(0, Infinity, ...tasks);
  return { id, parent: null, nodes };
}

/** Copies of all members. Those of a group inside come out in reverse, which Celery's users have to live with. */
function* flattenGroup(group: GroupSig): Generator<Sig> {
  const stack = [...group.kwargs.tasks];
  for (let next = stack.shift(); next !== undefined; next = stack.shift()) {
    const task = cloneSig(next);
    if (isGroup(task)) stack.unshift(...task.kwargs.tasks.toReversed());
    else if (!isChain(task) || task.kwargs.tasks.length > 0) yield task;
  }
}

function freezeChord(sig: ChordSig, place: Place, deps: FreezeDeps): ResultNode {
  const { header, body } = sig.kwargs;
  const group = Array.isArray(header) ? makeGroup(header) : header;
  sig.kwargs.header = group;
  const headerNode = freezeGroup(
    group,
    { parentId: place.parentId, rootId: place.rootId, chord: body },
    deps,
  );
  sig.options.task_id = headerNode.id;
  if (body === null) return headerNode;
  const bodyNode = freeze(body, { ...place, parentId: undefined }, deps);
  oldest(bodyNode).parent = headerNode;
  return bodyNode;
}

/** The first of what came before. */
function oldest(node: ResultNode): ResultNode {
  let first = node;
  while (first.parent) first = first.parent;
  return first;
}

export interface StepsRequest extends Place {
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined;
  readonly linkErrors?: readonly Sig[] | undefined;
  /** `false` freezes the steps themselves, `true` copies of them that are to be sent. */
  readonly copy: boolean;
}

export interface Steps {
  /** Reversed: the first step is the last element, as in the message's `chain`. */
  readonly tasks: Sig[];
  readonly results: ResultNode[];
}

/**
 * Unpacks a chain: chains inside it are laid flat, a group followed by something becomes a chord, each step gets its id. From the last to
 * the first, because each must know what comes after it.
 *
 * @see celery 5.7.0 canvas.py, `_chain.prepare_steps`
 */
export function prepareSteps(chain: ChainSig, request: StepsRequest, deps: FreezeDeps): Steps {
  return new StepWalk(chain, request, deps).walk();
}

class StepWalk {
  readonly #request: StepsRequest;
  readonly #deps: FreezeDeps;
  readonly #chain: ChainSig;
  readonly #tasks: Sig[] = [];
  readonly #results: ResultNode[] = [];
  #placed = 0;
  #next: { task: Sig; node: ResultNode } | undefined;

  constructor(chain: ChainSig, request: StepsRequest, deps: FreezeDeps) {
    this.#chain = chain;
    this.#request = request;
    this.#deps = deps;
  }

  walk(): Steps {
    const { copy } = this.#request;
    const steps = headOf(this.#chain.kwargs.tasks, copy);
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const task = isGroup(step) ? unrollGroup(step) : step;
      if (isEmptyGroup(task) && (steps.length > 0 || this.#next)) continue;
      if (copy && isChord(task) && isChainLedByTask(task.kwargs.body)) {
        steps.push(...unrollBody(task));
        continue;
      }
      const mine = this.#withArguments(task, steps.length === 0);
      if (isChain(mine)) steps.push(...mine.kwargs.tasks);
      else this.#place(mine);
    }
    // Celery leaves the last task's id on the chain even when it sends a copy: sent again, it would have the same id.
    if (copy) for (const task of this.#tasks) stripHeaderLinks(task);
    else this.#chain.options.task_id = this.#results[0]?.id ?? this.#request.id ?? this.#deps.newId();
    return { tasks: this.#tasks, results: this.#results };
  }

  /** The first step gets the chain's arguments. */
  #withArguments(task: Sig, isFirst: boolean): Sig {
    const { args, kwargs, copy } = this.#request;
    if (copy) return isFirst ? cloneSig(task, args, kwargs) : cloneSig(task);
    if (isFirst && args.length > 0) task.args = [...args, ...task.args];
    return task;
  }

  #place(step: Sig): void {
    const task = isGroup(step) && this.#next ? this.#upgrade(step, this.#next) : step;
    const node = this.#freeze(task);
    const next = this.#next;
    if (next && next.node.parent === null) next.node.parent = node;
    for (const errback of this.#request.linkErrors ?? []) {
      const onHeader = this.#deps.errbackOnHeader;
      linkErrorTo(task, errback, onHeader);
      if (isChord(task) && task.kwargs.body) linkErrorTo(task.kwargs.body, errback, onHeader);
    }
    this.#tasks.push(task);
    this.#results.push(node);
    this.#next = { task, node: isChord(task) ? oldest(node) : node };
  }

  #freeze(task: Sig): ResultNode {
    const { rootId, groupId, groupIndex, chord, id } = this.#request;
    const isLast = this.#placed++ === 0;
    return freeze(task, isLast ? { id, rootId, groupId, groupIndex, chord } : { rootId }, this.#deps);
  }

  /** `group | task` is a chord whose body is that task, with its id. */
  #upgrade(group: GroupSig, next: { task: Sig; node: ResultNode }): Sig {
    this.#tasks.pop();
    const bodyNode = this.#results.pop() as ResultNode;
    const options = {
      ...(next.node.nodes === null && { task_id: next.node.id }),
      root_id: this.#request.rootId ?? null,
    };
    const chord = makeChord(group, next.task, { options });
    this.#unlink(bodyNode, next.node);
    return chord;
  }

  /** What follows is linked to the body's result: it must be linked to the chord's instead. */
  #unlink(bodyNode: ResultNode, nextNode: ResultNode): void {
    const task = this.#tasks.at(-1);
    let node: ResultNode | null = this.#results.at(-1) ?? null;
    while (node !== null && node.parent !== bodyNode) node = node.parent;
    if (node !== null) node.parent = null;
    this.#next = task && { task, node: node ?? nextNode };
  }
}

/** The chain's head laid flat: the first real task must be the one that gets the arguments. */
function headOf(tasks: readonly Sig[], copy: boolean): Sig[] {
  const steps = [...tasks];
  let stripped: Sig | undefined;
  for (let head = steps[0]; head !== undefined; head = steps[0]) {
    if (isChain(head)) {
      const inner = copy ? (cloneSig(head) as ChainSig) : head;
      steps.splice(0, 1, ...inner.kwargs.tasks);
      continue;
    }
    const first = isGroup(head) ? unrollGroup(head) : head;
    steps[0] = first;
    if (!(steps.length > 1 && isEmptyGroup(first))) break;
    stripped = steps.shift();
  }
  return stripped && steps.length === 0 ? [stripped] : steps;
}

/**
 * The body is in the chord's own kwargs already; a copy in each header task would multiply with every chord inside a chord. They get it
 * back when the header is sent.
 */
export function stripHeaderLinks(sig: Sig): void {
  if (isChord(sig)) {
    const { header, body } = sig.kwargs;
    for (const task of Array.isArray(header) ? header : [header]) {
      clearChord(task);
      stripHeaderLinks(task);
    }
    if (body) stripHeaderLinks(body);
  } else if (isGroup(sig) || isChain(sig)) {
    for (const task of sig.kwargs.tasks) stripHeaderLinks(task);
  }
}

function clearChord(sig: Sig): void {
  delete sig.options.chord;
  if (isGroup(sig)) for (const task of sig.kwargs.tasks) clearChord(task);
  else if (isChain(sig)) {
    const last = sig.kwargs.tasks.at(-1);
    if (last) clearChord(last);
  } else if (isChord(sig) && sig.kwargs.body) clearChord(sig.kwargs.body);
}
