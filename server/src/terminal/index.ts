export { type ChoosePtyOptions, choosePty } from "./choose-pty.ts";
export { shellEnvironment } from "./environment.ts";
export { PaneBusy } from "./errors.ts";
export type {
  CommandEnd,
  Pane,
  PaneEvents,
  PaneOptions,
  PaneSnapshot,
  TerminalClock,
  TerminalLog,
} from "./pane.ts";
export type { PtyFactory } from "./pty.ts";
export { openPane } from "./shell-pane.ts";
export { Viewer, type ViewerOptions } from "./viewer.ts";
