import type { AsyncResult } from "../../backend/async-result.ts";
import { ImproperlyConfigured, InvalidArgument, NoResultBackend } from "../../protocol/errors.ts";
import type { TaskMessage } from "../../protocol/message.ts";
import type { CeleryApp, RequestInfo } from "../types.ts";
import { linkErrorTo, linkTo, pipe } from "./compose.ts";
import { freeze } from "./freeze.ts";
import { freezeDeps } from "./send.ts";
import { type ChainSig, cloneSig, isChain, isGroup, listOf, makeSig, type Sig } from "./sig.ts";
import type { Signature, SignatureInput } from "./signature.ts";
import { toSig } from "./to-sig.ts";

/** @throws ImproperlyConfigured for what cannot take a task's place. @see celery 5.7.0 app/task.py, `Task.replace` */
export function checkReplacement(signature: SignatureInput): Sig {
  const sig = toSig(signature);
  if ("chord" in sig.options) {
    throw new ImproperlyConfigured("A signature replacing a task must not be part of a chord");
  }
  if (isChain(sig) && sig.kwargs.tasks.length === 0) {
    throw new ImproperlyConfigured("Cannot replace with an empty chain");
  }
  return sig;
}

/**
 * The signature that takes a task's place: it gets the task's id, its callbacks and errbacks, its chord and the rest of its chain.
 *
 * @see celery 5.7.0 app/task.py, `Task.replace`
 */
export function makeReplacement(app: CeleryApp, replacement: Sig, message: TaskMessage): Sig {
  const { headers, embed } = message;
  let sig = withOneResult(cloneSig(replacement));
  for (const callback of listOf(embed.callbacks)) linkTo(sig, toSig(callback as Sig));
  for (const errback of listOf(embed.errbacks)) {
    linkErrorTo(sig, toSig(errback as Sig), app.conf.task_allow_error_cb_on_chord_header);
  }
  if (isChain(sig)) moveLinks(sig);
  freeze(sig, { id: headers.id }, freezeDeps(app));
  const nesting = { replaced_task_nesting: headers.replacedTaskNesting + 1 };
  Object.assign(sig.options, {
    chord: embed.chord ?? null,
    group_id: headers.group,
    group_index: headers.groupIndex,
    root_id: headers.rootId,
    ...nesting,
  });
  if (isChain(sig)) for (const task of sig.kwargs.tasks) Object.assign(task.options, nesting);
  for (const step of (embed.chain ?? []).toReversed()) {
    const next = cloneSig(toSig(step as Sig));
    Object.assign(next.options, nesting);
    sig = pipe(sig, next);
  }
  return sig;
}

/** A group has no result of its own to stand for the task's: it becomes a chord whose body gives the list of its results. */
function withOneResult(sig: Sig): Sig {
  const accumulate = (): Sig => makeSig("celery.accumulate", { kwargs: { index: 0 } });
  if (isGroup(sig)) return pipe(sig, accumulate());
  const last = isChain(sig) ? sig.kwargs.tasks.at(-1) : undefined;
  if (last && isGroup(last)) {
    const { tasks } = (sig as ChainSig).kwargs;
    (sig as ChainSig).kwargs.tasks = [...tasks.slice(0, -1), pipe(last, accumulate())];
  }
  return sig;
}

/** Callbacks of a chain are its last task's: more may be put behind it. */
function moveLinks({ options, kwargs }: ChainSig): void {
  const last = kwargs.tasks.at(-1);
  if (!("link" in options) || last === undefined) return;
  last.options.link = [...listOf(last.options.link), ...listOf(options.link)];
  delete options.link;
}

export type Added<R> = Promise<AsyncResult<R>>;

/**
 * One more part for the chord that the task is a part of.
 *
 * @throws InvalidArgument when it is a part of none.
 * @see celery 5.7.0 app/task.py, `Task.add_to_chord`
 */
export async function addToChord<R>(app: CeleryApp, request: RequestInfo, signature: Signature<R>): Added<R> {
  const { group, groupIndex, chord, rootId } = request;
  if (!chord || group === null) throw new InvalidArgument("Current task is not member of any chord");
  const backend = app.backend();
  if (backend === undefined) throw new NoResultBackend();
  Object.assign(toSig(signature).options, {
    group_id: group,
    group_index: groupIndex,
    chord,
    root_id: rootId,
  });
  signature.freeze();
  await backend.chords.grow(group);
  return signature.delay();
}
