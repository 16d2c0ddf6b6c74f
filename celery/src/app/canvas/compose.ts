import {
  appendToOption,
  type ChainSig,
  type ChordSig,
  cloneSig,
  isChain,
  isChord,
  isEmptyGroup,
  isGroup,
  listOf,
  makeChain,
  makeChord,
  type Sig,
  type SigOptions,
  unrollGroup,
} from "./sig.ts";

/**
 * `left | right` of Celery: a group followed by a task becomes a chord, chains become one.
 * @see celery 5.7.0 canvas.py, the `__or__` of each kind
 */
export function pipe(left: Sig, right: Sig): Sig {
  if (isChain(left)) return pipeChain(left, right);
  if (isGroup(left)) return isEmptyGroup(right) ? left : makeChord(left, right);
  if (isChord(left)) return pipeChord(left, right);
  return pipeTask(left, right);
}

/** `chain(a, b, c)`: the same as `a | b | c`. @see celery 5.7.0 canvas.py, `_fold_chain` */
export function foldChain(tasks: readonly Sig[]): Sig {
  let steps: Sig[] = [];
  for (const [position, task] of tasks.entries()) {
    const folded = foldStep(steps, task, position !== tasks.length - 1);
    // An empty chain followed by a group is the group, and goes on as one.
    if (!Array.isArray(folded)) return tasks.slice(position + 1).reduce(pipe, folded);
    steps = folded;
  }
  return makeChain([...steps.slice(0, -1).map((step) => cloneSig(step)), ...steps.slice(-1)]);
}

function foldStep(steps: Sig[], other: Sig, copy: boolean): Sig[] | Sig {
  if (isEmptyGroup(other)) return steps;
  if (isGroup(other)) {
    const only = unrollGroup(other);
    return only === other ? foldGroup(steps, other, copy) : foldStep(steps, only, copy);
  }
  if (isChain(other)) return foldInner(steps, unchain(other), copy);
  const last = steps.at(-1);
  const step = copy ? cloneSig(other) : other;
  if (last && isGroup(last)) return [...steps.slice(0, -1), makeChord(last, step)];
  if (last && isChord(last) && !isChord(other)) {
    last.kwargs.body = last.kwargs.body ? pipe(last.kwargs.body, other) : other;
    return steps;
  }
  return [...steps, step];
}

function foldGroup(steps: Sig[], group: Sig, copy: boolean): Sig[] | Sig {
  const last = steps.at(-1);
  if (last === undefined) return group;
  if (isChord(last) && last.kwargs.body) {
    last.kwargs.body = pipe(last.kwargs.body, group);
    return steps;
  }
  return [...steps, copy ? cloneSig(group) : group];
}

function foldInner(steps: Sig[], inner: readonly Sig[], copy: boolean): Sig[] | Sig {
  let all: Sig[] = steps;
  for (const [position, task] of inner.entries()) {
    const folded = foldStep(all, task, copy || position !== inner.length - 1);
    if (!Array.isArray(folded)) return inner.slice(position + 1).reduce(pipe, folded);
    all = folded;
  }
  return all;
}

/** Copies of the chain's tasks, with the chain's own links on the last and its errbacks on each. */
function unchain(chain: ChainSig): Sig[] {
  const tasks = chain.kwargs.tasks.map((task) => cloneSig(task));
  const last = tasks.at(-1);
  for (const link of listOf(chain.options.link)) if (last) linkTo(last, link);
  for (const errback of listOf(chain.options.link_error)) {
    for (const task of tasks) linkErrorTo(task, errback);
  }
  return tasks;
}

function pipeTask(left: Sig, right: Sig): Sig {
  if (isChain(right)) return makeChain([left, ...unchain(right)]);
  return makeChain([left, isGroup(right) ? unrollGroup(right) : right]);
}

function pipeChord(left: ChordSig, right: Sig): Sig {
  const isSingle = isGroup(right) && right.kwargs.tasks.length === 1;
  const follows = !isGroup(right) && !isChain(right);
  if (!isSingle && !follows) return pipeTask(left, right);
  const sig = cloneSig(left) as ChordSig;
  const other = isGroup(right) ? unrollGroup(right) : right;
  sig.kwargs.body = sig.kwargs.body ? pipe(sig.kwargs.body, other) : other;
  return sig;
}

function pipeChain(left: ChainSig, right: Sig): Sig {
  if (isEmptyGroup(right)) return left;
  if (isGroup(right)) return pipeChainGroup(left, right);
  if (isChain(right)) return unchain(right).reduce<Sig>(pipe, left);
  const last = left.kwargs.tasks.at(-1);
  if (last && isGroup(last)) return chordAtEnd(left, right);
  if (last && isChord(last) && !isChord(right)) {
    const sig = cloneSig(left) as ChainSig;
    const chord = sig.kwargs.tasks.at(-1) as ChordSig;
    chord.kwargs.body = chord.kwargs.body ? pipe(chord.kwargs.body, right) : right;
    return sig;
  }
  return makeChain([...unchain(left), right]);
}

function pipeChainGroup(left: ChainSig, group: Sig): Sig {
  const other = isGroup(group) ? unrollGroup(group) : group;
  if (!isGroup(other)) return pipe(left, other);
  const tasks = unchain(left);
  const last = tasks.at(-1);
  if (last === undefined) return other;
  if (isChord(last) && last.kwargs.body) {
    last.kwargs.body = pipe(last.kwargs.body, other);
    return makeChain(tasks);
  }
  return makeChain([...tasks, other]);
}

/** The group at the end becomes the header of a chord; two chords in a row become one with the other in its body. */
function chordAtEnd(left: ChainSig, right: Sig): Sig {
  const sig = cloneSig(left) as ChainSig;
  const { tasks } = sig.kwargs;
  const chord = makeChord(tasks.at(-1) as Sig, right);
  const before = tasks.at(-2);
  if (before && isChord(before) && before.kwargs.body) {
    before.kwargs.body = pipe(before.kwargs.body, chord);
    sig.kwargs.tasks = tasks.slice(0, -1);
  } else {
    sig.kwargs.tasks = [...tasks.slice(0, -1), chord];
  }
  return sig;
}

/** @see celery 5.7.0 canvas.py, the `link` of each kind */
export function linkTo(sig: Sig, callback: Sig): void {
  if (isGroup(sig)) {
    const first = sig.kwargs.tasks[0];
    if (first) linkTo(first, { ...cloneSig(callback), immutable: true });
  } else if (isChord(sig) && sig.kwargs.body) linkTo(sig.kwargs.body, callback);
  else appendToOption(sig, "link", callback);
}

/**
 * @param onHeader `task_allow_error_cb_on_chord_header`: whether a chord's header gets it, too.
 * @see celery 5.7.0 canvas.py, the `link_error` of each kind
 */
export function linkErrorTo(sig: Sig, errback: Sig, onHeader = false): void {
  if (isGroup(sig)) {
    for (const task of sig.kwargs.tasks) linkErrorTo(task, cloneSig(errback), onHeader);
  } else if (isChord(sig)) linkErrorToChord(sig, errback, onHeader);
  else appendToOption(sig, "link_error", errback);
}

function linkErrorToChord(sig: ChordSig, errback: Sig, onHeader: boolean): void {
  for (const task of headerOf(sig)) {
    if (onHeader) linkErrorTo(task, { ...cloneSig(errback), immutable: true }, onHeader);
    if (isChord(task)) linkErrorTo(task, errback, onHeader);
  }
  if (sig.kwargs.body) linkErrorTo(sig.kwargs.body, errback, onHeader);
}

export function headerOf(sig: ChordSig): Sig[] {
  const { header } = sig.kwargs;
  return Array.isArray(header) ? header : header.kwargs.tasks;
}

/** A group followed by more steps must stay one body: it runs them once per member. */
export function isChainLedByTask(body: Sig | null): body is ChainSig {
  if (body === null || !isChain(body)) return false;
  const first = body.kwargs.tasks[0];
  return first !== undefined && !isGroup(first);
}

/** Options of a chain that it uses itself instead of handing them to its first task. */
const CHAINS_OWN: ReadonlySet<string> = new Set([
  "chord",
  "group_id",
  "group_index",
  "link",
  "link_error",
  "parent_id",
  "root_id",
  "task_id",
]);

/**
 * `chord(header, chain(a, b))` is `chord(header, a), b`: else every part of the header would carry a copy of all that comes after.
 * @see celery 5.7.0 canvas.py, `_chord._unroll_body`
 */
export function unrollBody(sig: ChordSig): Sig[] {
  const chord = cloneSig(sig) as ChordSig;
  const body = chord.kwargs.body as ChainSig;
  const [first, ...rest] = unchain(body);
  const passed = Object.entries(body.options).filter(([key]) => !CHAINS_OWN.has(key));
  chord.kwargs.body = first ? cloneSig(first, [], {}, Object.fromEntries(passed) as SigOptions) : null;
  return [chord, ...rest];
}

/** In place. @see celery 5.7.0 canvas.py, `_chain._unroll_chords` */
export function unrollChords(chain: ChainSig): void {
  const pending = [...chain.kwargs.tasks];
  const tasks: Sig[] = [];
  for (let task = pending.shift(); task !== undefined; task = pending.shift()) {
    if (isChain(task)) {
      task = cloneSig(task);
      unrollChords(task as ChainSig);
    }
    if (isChord(task) && isChainLedByTask(task.kwargs.body)) pending.unshift(...unrollBody(task));
    else tasks.push(task);
  }
  chain.kwargs.tasks = tasks;
}
