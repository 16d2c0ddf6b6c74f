import { PANE_IDS, type PaneId } from "../protocol/index.ts";
import { openPane, type Pane, type PtyFactory, type TerminalLog } from "../terminal/index.ts";

/** Until a browser says how large its panes are. */
const FIRST_SIZE = { cols: 100, rows: 16 };

/** How long a program may take to end by Ctrl-C when the learner leaves a lesson, in milliseconds. */
const PATIENCE_MS = 2_500;

export type Panes = Readonly<Record<PaneId, Pane>>;

export interface PanesOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pty: PtyFactory;
  readonly log: TerminalLog;
}

/** The three shells, opened side by side. */
export async function openPanes(options: PanesOptions): Promise<Panes> {
  const panes = await Promise.all(PANE_IDS.map((id) => openPane({ id, ...FIRST_SIZE, ...options })));
  return Object.fromEntries(panes.map((pane) => [pane.id, pane])) as Record<PaneId, Pane>;
}

/**
 * Gives a pane a fresh shell in `cwd`. What runs there is asked first, so that a worker says good-bye, and is not
 * waited for long.
 */
export async function moveTo(pane: Pane, cwd: string): Promise<void> {
  // Too slow is what `restart` is for.
  await pane.stop(AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined);
  await pane.restart(cwd);
}
