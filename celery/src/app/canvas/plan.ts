import type { ChordFact } from "../../backend/chords.ts";
import { type ResultNode, toTuple } from "../../protocol/result-tuple.ts";
import { linkTo, unrollChords } from "./compose.ts";
import { type FreezeDeps, freeze, freezeGroup, prepareSteps, stripHeaderLinks } from "./freeze.ts";
import { linkErrorToBody } from "./links.ts";
import {
  type ChainSig,
  type ChordSig,
  cloneSig,
  extendOption,
  type GroupSig,
  isChain,
  isChord,
  isChunks,
  isGroup,
  listOf,
  makeGroup,
  makeMap,
  mergeArgs,
  mergeOptions,
  type Sig,
  type SigOptions,
} from "./sig.ts";

/** One message to be sent. `options` are under Celery's names. */
export interface PlannedCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly options: SigOptions;
}

export type PlannedStep = { readonly kind: "call"; readonly call: PlannedCall } | ChordFact;

/** All that applying a signature does, without doing it. */
export interface Plan {
  /** In Celery's order. */
  readonly steps: readonly PlannedStep[];
  /** Null for an empty chain. */
  readonly result: ResultNode | null;
  /** What becomes the children of the task that applies it. */
  readonly trail: readonly ResultNode[];
}

/**
 * What `apply_async` of Celery does, as data: the worker puts it into the very step that stores the result it follows from.
 *
 * @param args put before the signature's own, unless it is immutable.
 * @param options as in `apply_async`, under Celery's names; they win over the signature's.
 * @see celery 5.7.0 canvas.py, the `apply_async` of each kind
 */
export function planCanvas(sig: Sig, args: readonly unknown[], options: SigOptions, deps: FreezeDeps): Plan {
  const planner = new Planner(deps);
  const result = planner.apply(sig, { args, kwargs: {}, options });
  return { steps: planner.steps, trail: planner.trail, result };
}

interface Application {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly options: SigOptions;
}

class Planner {
  readonly steps: PlannedStep[] = [];
  readonly trail: ResultNode[] = [];
  readonly #deps: FreezeDeps;

  constructor(deps: FreezeDeps) {
    this.#deps = deps;
  }

  apply(sig: Sig, how: Application): ResultNode | null {
    if (isChain(sig)) return this.#chain(sig, how);
    if (isGroup(sig)) return this.#group(sig, how);
    if (isChord(sig)) return this.#chord(sig, how);
    if (isChunks(sig)) return this.#chunks(sig, how);
    return this.#task(sig, how);
  }

  #task(sig: Sig, { args, kwargs, options }: Application): ResultNode {
    const merged = mergeOptions(sig.options, given(options));
    const id = merged.task_id ?? this.#deps.newId();
    const arguments_ = mergeArgs(sig, args, kwargs);
    this.steps.push({
      kind: "call",
      call: { name: sig.task, ...arguments_, options: { ...merged, task_id: id } },
    });
    return this.#leaveTrail({ id, parent: null, nodes: null }, merged);
  }

  /** @see celery 5.7.0 canvas.py, `_chain.run` */
  #chain(sig: ChainSig, how: Application): ResultNode | null {
    const all = { ...sig.options, ...how.options };
    const { group_id, chord, task_id, link, link_error, root_id, parent_id, group_index, ...options } = all;
    const { tasks, results } = prepareSteps(
      sig,
      {
        args: how.args.length > 0 && !sig.immutable ? [...how.args, ...sig.args] : sig.args,
        kwargs: how.kwargs,
        linkErrors: listOf(link_error),
        copy: true,
        id: task_id,
        rootId: root_id,
        parentId: parent_id,
        groupId: group_id,
        groupIndex: group_index,
        chord,
      },
      this.#deps,
    );
    const [last] = tasks;
    if (last === undefined) return null;
    if (link) extendOption(last, "link", listOf(link));
    const first = tasks.pop() as Sig;
    const chain = [...(options.chain ?? []), ...tasks];
    const node = this.apply(first, { args: [], kwargs: {}, options: { ...options, chain } });
    return tasks.length === 0 ? node : (results[0] ?? null);
  }

  #chunks(sig: Sig, how: Application): ResultNode | null {
    const { task, it, n } = sig.kwargs as { task: Sig; it: readonly unknown[]; n: number };
    const parts: Sig[] = [];
    for (let at = 0; at < it.length; at += n) parts.push(makeMap("xstarmap", task, it.slice(at, at + n)));
    const { task_id: _unused, ...options } = sig.options;
    return this.#group(makeGroup(parts), { ...how, options: { ...options, ...how.options } });
  }

  /** @see celery 5.7.0 canvas.py, `group.apply_async` */
  #group(sig: GroupSig, { args, kwargs, options }: Application): ResultNode {
    if (sig.kwargs.tasks.length === 0) return freezeGroup(sig, {}, this.#deps);
    const { task_id, ...merged } = mergeOptions(sig.options, options);
    const groupId = task_id ?? this.#deps.newId();
    // Set on the group for its members, which get them as they are frozen.
    const { link: _link, link_error: _linkError, add_to_parent: _trail, ...passed } = merged;
    const members = [...this.#members(sig, groupId, merged.root_id)];
    const nodes = this.#send(members, groupId, { args, kwargs, options: { ...passed, group_id: groupId } });
    const only = nodes.length === 1 ? nodes[0] : undefined;
    return this.#leaveTrail(only?.nodes ? only : { id: groupId, parent: null, nodes }, merged);
  }

  /** @see celery 5.7.0 canvas.py, `group._prepared` */
  *#members(
    group: GroupSig,
    groupId: string,
    rootId: string | null | undefined,
  ): Generator<{ sig: Sig; node: ResultNode }> {
    for (const [index, member] of group.kwargs.tasks.entries()) {
      const sig = cloneSig(member);
      if (isGroup(sig)) yield* this.#members(sig, groupId, rootId);
      else if (!isChain(sig) || sig.kwargs.tasks.length > 0) {
        yield { sig, node: freeze(sig, { groupId, rootId, groupIndex: index }, this.#deps) };
      }
    }
  }

  /** @see celery 5.7.0 canvas.py, `group._apply_tasks` */
  #send(
    members: readonly { sig: Sig; node: ResultNode }[],
    groupId: string,
    { args, kwargs, options }: Application,
  ): ResultNode[] {
    const { chord, group_index: _index, ...passed } = options;
    let size = 0;
    for (const [at, { sig }] of members.entries()) {
      const body = chord ?? sig.options.chord ?? null;
      size += countParts(sig);
      if (body && at === members.length - 1) this.steps.push({ kind: "size", groupId, size });
      this.apply(sig, { args, kwargs, options: { add_to_parent: false, chord: body, ...passed } });
    }
    return members.map(({ node }) => node);
  }

  /** @see celery 5.7.0 canvas.py, `_chord.apply_async` */
  #chord(sig: ChordSig, how: Application): ResultNode | null {
    const { task_id, countdown, eta, link, link_error, ...options } = how.options;
    const args = how.args.length > 0 && !sig.immutable ? [...how.args, ...sig.args] : sig.args;
    const { header, body: ownBody, kwargs: ownKwargs } = sig.kwargs;
    const { body: givenBody, ...moreKwargs } = how.kwargs as { body?: Sig };
    const body = givenBody ?? ownBody;
    if (body === null) throw new TypeError("A chord without a body cannot be sent: chord(header, body).");
    const group = Array.isArray(header)
      ? makeGroup([...header], { task_id: sig.options.task_id ?? this.#deps.newId() })
      : (cloneSig(header) as GroupSig);
    const delay = given({ countdown: countdown ?? sig.options.countdown, eta: eta ?? sig.options.eta });
    const bodyId = task_id ?? sig.options.task_id;
    return this.#runChord(group, cloneSig(body, [], {}, bodyOptions(options)), {
      args,
      kwargs: { ...ownKwargs, ...moreKwargs },
      options: { ...sig.options, ...options, ...given({ link, link_error }) },
      delay,
      bodyId,
    });
  }

  /** @see celery 5.7.0 canvas.py, `_chord.run` */
  #runChord(
    header: GroupSig,
    plainBody: Sig,
    how: Application & { readonly delay: SigOptions; readonly bodyId: string | undefined },
  ): ResultNode | null {
    const groupId = header.options.task_id ?? this.#deps.newId();
    const rootId = plainBody.options.root_id;
    const { task_id: _id, countdown: _countdown, eta: _eta, link, link_error, ...options } = how.options;
    const body = addCallbacks(plainBody, listOf(link), listOf(link_error));
    Object.assign(body.options, bodyOptions(options));
    if (isChain(body)) unrollChords(body);
    const bodyNode = freeze(body, { id: how.bodyId ?? this.#deps.newId(), groupId, rootId }, this.#deps);
    stripHeaderLinks(body);
    header.options.task_id = groupId;
    const headerNode = freezeGroup(header, { groupId, chord: body, rootId }, this.#deps);
    const { chain: _chain, chord: _chord, ...passed } = options;
    if (header.kwargs.tasks.length === 0) {
      this.apply(body, { args: [[]], kwargs: {}, options: {} });
      bodyNode.parent = headerNode;
      return bodyNode;
    }
    this.#keepShape(groupId, headerNode);
    const { args, kwargs, delay } = how;
    bodyNode.parent = this.apply(header, {
      args,
      kwargs,
      options: { ...passed, ...delay, task_id: groupId },
    });
    return bodyNode;
  }

  #keepShape(groupId: string, header: ResultNode): void {
    if (!header.nodes?.some(({ nodes }) => nodes !== null)) return;
    this.steps.push({ kind: "shape", groupId, header: toTuple(header) });
  }

  #leaveTrail(node: ResultNode, { add_to_parent }: SigOptions): ResultNode {
    if (add_to_parent !== false) this.trail.push(node);
    return node;
  }
}

/** How many completions of this the chord around it waits for. @see celery 5.7.0 canvas.py, `_chord._descend` */
function countParts(sig: Sig): number {
  if (isGroup(sig)) return sig.kwargs.tasks.reduce((sum, task) => sum + countParts(task), 0);
  if (isChain(sig)) {
    for (const task of sig.kwargs.tasks.toReversed()) {
      const size = countParts(task);
      if (size > 0) return size;
    }
    return 0;
  }
  return isChord(sig) && sig.kwargs.body ? countParts(sig.kwargs.body) : 1;
}

/** Callbacks of a chord go to its body. @see celery 5.7.0 canvas.py, `_chord._add_body_callbacks` */
function addCallbacks(body: Sig, links: readonly Sig[], errbacks: readonly Sig[]): Sig {
  if (links.length === 0 && errbacks.length === 0) return body;
  const copy = cloneDeep(body);
  for (const link of links) {
    if (isGroup(copy) && copy.kwargs.tasks.length === 0) extendOption(copy, "link", [cloneDeep(link)]);
    else linkTo(copy, cloneDeep(link));
  }
  for (const errback of errbacks) linkErrorToBody(copy, errback);
  return copy;
}

/** @see celery 5.7.0 canvas.py, `_clone_with_members` */
function cloneDeep(sig: Sig): Sig {
  const copy = cloneSig(sig);
  if (isGroup(copy)) copy.kwargs.tasks = copy.kwargs.tasks.map(cloneDeep);
  else if (isChord(copy) && copy.kwargs.body) copy.kwargs.body = cloneDeep(copy.kwargs.body);
  return copy;
}

/** The part that completes the chord is the body's parent. */
function bodyOptions(options: SigOptions): SigOptions {
  const { parent_id: _parent, ...rest } = options;
  return rest;
}

/** `null` counts as not given, as in Celery. */
function given(options: Readonly<Record<string, unknown>>): SigOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries);
}
