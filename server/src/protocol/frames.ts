import type { PaneId } from "./state.ts";

/**
 * Binary WebSocket frames carry terminal bytes: `[u8 kind][u8 pane][u32 seq, big endian][utf-8 bytes]`.
 *
 * - `data` (server → browser): output; `seq` counts this pane's output bytes in this epoch *before* the payload.
 * - `snapshot` (server → browser): the whole screen as escape sequences; the terminal is reset first. `seq` is the
 *   count that the screen stands for.
 * - `input` (browser → server): keystrokes; `seq` is 0.
 */
export const FRAME_KIND = { data: 1, snapshot: 2, input: 3 } as const;
export type FrameKind = keyof typeof FRAME_KIND;

/** Position in this list is the pane's number on the wire. */
export const PANE_IDS: readonly PaneId[] = ["broker", "worker", "producer"];

export const FRAME_HEADER_BYTES = 6;

/** The largest frame that the server accepts, in bytes; a longer one closes the socket with 1009. */
export const MAX_FRAME_BYTES: number = 64 * 1024;

export interface Frame {
  readonly kind: FrameKind;
  readonly pane: PaneId;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export function encodeFrame(frame: Frame): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + frame.bytes.length);
  out[0] = FRAME_KIND[frame.kind];
  out[1] = PANE_IDS.indexOf(frame.pane);
  new DataView(out.buffer).setUint32(2, frame.seq >>> 0);
  out.set(frame.bytes, FRAME_HEADER_BYTES);
  return out;
}

/** The frame, or `undefined` where kind, pane or length is not of this protocol. */
export function decodeFrame(data: Uint8Array): Frame | undefined {
  const kind = (Object.keys(FRAME_KIND) as FrameKind[]).find((name) => FRAME_KIND[name] === data[0]);
  const pane = PANE_IDS[data[1] ?? -1];
  if (kind === undefined || pane === undefined || data.length < FRAME_HEADER_BYTES) return undefined;
  const seq = new DataView(data.buffer, data.byteOffset).getUint32(2);
  return { kind, pane, seq, bytes: data.subarray(FRAME_HEADER_BYTES) };
}
