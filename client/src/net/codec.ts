import type { Frame, FrameKind, PaneId } from "server/protocol";

/**
 * Binary frames, as `server/protocol` defines them. The page takes only types from the server, so that nothing of
 * its code reaches the browser; a test holds both codecs together.
 */
const KINDS: readonly (FrameKind | undefined)[] = [undefined, "data", "snapshot", "input"];
const PANES: readonly PaneId[] = ["broker", "worker", "producer"];
const HEADER_BYTES = 6;

/** Most bytes of keystrokes in one frame; the server refuses frames over 64 KB. */
export const INPUT_CHUNK_BYTES: number = 32 * 1024;

/** The frame, or `undefined` for bytes that are not of this protocol. */
export function decodeFrame(data: ArrayBuffer): Frame | undefined {
  const view = new DataView(data);
  if (view.byteLength < HEADER_BYTES) return undefined;
  const kind = KINDS[view.getUint8(0)];
  const pane = PANES[view.getUint8(1)];
  if (kind === undefined || pane === undefined) return undefined;
  return { kind, pane, seq: view.getUint32(2), bytes: new Uint8Array(data, HEADER_BYTES) };
}

/** Keystrokes for a pane, cut into frames that the server takes. */
export function encodeInput(pane: PaneId, bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let from = 0; from < bytes.length; from += INPUT_CHUNK_BYTES) {
    const chunk = bytes.subarray(from, from + INPUT_CHUNK_BYTES);
    const frame = new Uint8Array(HEADER_BYTES + chunk.length);
    frame[0] = KINDS.indexOf("input");
    frame[1] = PANES.indexOf(pane);
    frame.set(chunk, HEADER_BYTES);
    frames.push(frame);
  }
  return frames;
}
