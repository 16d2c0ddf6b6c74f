import type { EndedPart } from "../app/canvas/aftermath.ts";
import type { CeleryApp } from "../app/types.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import type { Rescue } from "../transport/transport.ts";

/**
 * The message that ends a chord if the worker that completes it dies before it has: Celery's own `celery.chord_unlock`, which workers of
 * both kinds know. Its body stays plain text, so that a script can put the results in.
 *
 * @see celery 5.7.0 app/builtins.py, `add_unlock_chord_task`
 */
export function makeRescue(app: CeleryApp, part: EndedPart, queue: string): Rescue {
  const { groupId, body, parent } = part;
  const options = {
    queue,
    rootId: parent.rootId,
    parentId: parent.id,
    ignoreResult: true,
    compression: null,
  };
  const { message } = app.prepare("celery.chord_unlock", [groupId], options);
  const envelope = decodeJson(message.raw) as Record<string, Record<string, unknown>>;
  const { body: _encoded, ...rest } = envelope;
  const { body_encoding: _base64, ...properties } = rest["properties"] ?? {};
  const bodyStart = `[[${encodeJson(groupId)}, ${encodeJson(body)}], {"result": [`;
  return {
    queue,
    bodyStart,
    bodyEnd: ']}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
    envelopeEnd: `, ${encodeJson({ ...rest, properties }).slice(1)}`,
  };
}
