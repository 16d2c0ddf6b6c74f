import type { PaneId } from "../protocol/index.ts";

/** Base of what a pane refuses; `message` is for the learner. */
class TerminalError extends Error {
  readonly code: string = "TERMINAL";
}

/** The pane runs something; `stop` it first, or wait. */
export class PaneBusy extends TerminalError {
  override readonly code: string = "PANE_BUSY";
  readonly command: string;

  constructor(pane: PaneId, command: string) {
    super(`The ${pane} pane is running ${command === "" ? "a command" : `\`${command}\``}.`);
    this.command = command;
  }
}

/** The shell is gone; `restart` opens a new one. */
export class PaneClosed extends TerminalError {
  override readonly code: string = "PANE_CLOSED";

  constructor(pane: PaneId, reason: string) {
    super(`The ${pane} pane's shell is gone: ${reason}`);
  }
}

/** No shell could be started at all. */
export class ShellUnavailable extends TerminalError {
  override readonly code: string = "SHELL_UNAVAILABLE";
}

/** The screen was that of a shell before; look at the pane again. */
export class ScreenGone extends TerminalError {
  override readonly code: string = "SCREEN_GONE";
}
