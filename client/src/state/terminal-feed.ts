import type { PaneId } from "server/protocol";

/** A screen that shows a pane's bytes. */
export interface Screen {
  write(bytes: Uint8Array): void;
  /** Replaces everything on the screen; later writes follow it. */
  restore(bytes: Uint8Array): void;
}

/** Where a pane's output stands: bytes received in this life of its shell. */
interface Position {
  readonly epoch: number;
  readonly seq: number;
}

/** Carries terminal bytes from the socket to a screen that may not have loaded yet. */
export interface TerminalFeed {
  data(seq: number, bytes: Uint8Array): void;
  snapshot(seq: number, bytes: Uint8Array): void;
  /** The shell of this pane has this epoch from now on. */
  epoch(epoch: number): void;
  /** `undefined` until the server sent anything: then there is nothing to continue from. */
  position(): Position | undefined;
  /** Shows what came so far, then everything that comes. Returns how to detach. */
  attach(screen: Screen): () => void;
}

interface Held {
  readonly kind: "data" | "snapshot";
  readonly bytes: Uint8Array;
}

/**
 * Opens the feed of one pane. While no screen is attached frames are held; the server stops at 100 KB without an
 * ack, so that what is held stays small.
 *
 * @param acknowledge is told of held bytes that a snapshot made pointless; a screen acks what it has drawn.
 */
export function openTerminalFeed(acknowledge: (bytes: number) => void): TerminalFeed {
  let screen: Screen | undefined;
  let held: Held[] = [];
  let epoch = 0;
  let seq: number | undefined;

  const deliver = (item: Held): void => {
    if (screen === undefined) held.push(item);
    else if (item.kind === "data") screen.write(item.bytes);
    else screen.restore(item.bytes);
  };
  const dropHeld = (): void => {
    const bytes = held.reduce((sum, item) => sum + (item.kind === "data" ? item.bytes.length : 0), 0);
    held = [];
    if (bytes > 0) acknowledge(bytes);
  };

  return {
    data(at, bytes) {
      seq = at + bytes.length;
      deliver({ kind: "data", bytes });
    },
    snapshot(at, bytes) {
      seq = at;
      dropHeld();
      deliver({ kind: "snapshot", bytes });
    },
    epoch(next) {
      if (next === epoch) return;
      if (epoch !== 0) seq = undefined;
      epoch = next;
    },
    position: () => (seq === undefined ? undefined : { epoch, seq }),
    attach(next) {
      screen = next;
      const waiting = held;
      held = [];
      waiting.forEach(deliver);
      return () => {
        if (screen === next) screen = undefined;
      };
    },
  };
}

export type TerminalFeeds = Readonly<Record<PaneId, TerminalFeed>>;
