import { headerOf } from "./compose.ts";
import { isChain, isChord, isGroup, listOf, type Sig } from "./sig.ts";

export type Stamps = Readonly<Record<string, unknown>>;

/**
 * Marks a signature, everything in it and its links with values that travel with the messages. A body of a chord is only stamped by a
 * visitor in Celery, and so it is not here.
 *
 * @see celery 5.7.0 canvas.py, the `stamp` of each kind
 */
export function stamp(sig: Sig, stamps: Stamps): void {
  stampLinks(sig, stamps);
  if (isChain(sig) || isGroup(sig)) for (const task of sig.kwargs.tasks) stamp(task, stamps);
  else if (isChord(sig)) for (const task of headerOf(sig)) stamp(task, stamps);
  else setStamps(sig, stamps);
}

function stampLinks(sig: Sig, stamps: Stamps): void {
  for (const link of [...listOf(sig.options.link), ...listOf(sig.options.link_error)]) stamp(link, stamps);
}

/** Later stamps of a name replace earlier ones only where the task has none of its own. */
function setStamps({ options }: Sig, stamps: Stamps): void {
  const names = new Set([...Object.keys(stamps), ...(options.stamped_headers ?? [])]);
  const values = Object.fromEntries(Object.entries(stamps).filter(([name]) => name !== "stamped_headers"));
  Object.assign(options, values, { stamped_headers: [...names] });
}
