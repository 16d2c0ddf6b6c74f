import { linkErrorTo } from "./compose.ts";
import { cloneSig, extendOption, isChord, isGroup, type Sig } from "./sig.ts";

/**
 * An errback of a chord, for its body: a body that is a group has each task get it, any other keeps it among its own options, where the
 * chord's failure is looked for.
 *
 * @see celery 5.7.0 canvas.py, `_chord._add_body_callbacks` and `_link_error_to_body_tasks`
 */
export function linkErrorToBody(body: Sig, errback: Sig): void {
  if (isGroup(body)) linkToTasks(body, errback, true);
  else appendOwn(body, errback);
}

function linkToTasks(sig: Sig, errback: Sig, runsAsGroup: boolean): void {
  if (isGroup(sig)) {
    if (runsAsGroup && sig.options.link_error) appendOwn(sig, cloneSig(errback));
    else for (const task of sig.kwargs.tasks) linkToTasks(task, errback, false);
  } else if (isChord(sig) && sig.kwargs.body) linkToTasks(sig.kwargs.body, errback, true);
  else linkErrorTo(sig, cloneSig(errback));
}

function appendOwn(sig: Sig, errback: Sig): void {
  extendOption(sig, "link_error", [errback]);
}
