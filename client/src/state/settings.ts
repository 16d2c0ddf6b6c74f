import type { PaneId } from "server/protocol";

export type Theme = "system" | "light" | "dark";

/** How a learner likes the page; kept in the browser. */
export interface Settings {
  readonly theme: Theme;
  /** Lesson text in a serif face. */
  readonly serif: boolean;
  /** Terminals mirror their text for screen readers. */
  readonly screenReader: boolean;
  /** Width of the lesson in pixels; null is the built-in share of the window. */
  readonly lessonWidth: number | null;
  /** The editor's part of the work column's height, 0 to 1; null is the built-in one. */
  readonly editorShare: number | null;
  /** Heights of the three panes as dragged, in screen order; null while they follow the lesson. */
  readonly paneShares: readonly number[] | null;
  /** The pane that stays large whatever step runs. */
  readonly pinned: PaneId | null;
  /** The lesson's drawer on middle-sized windows. */
  readonly drawerOpen: boolean;
  /** The bubble on the first Run button has done its work. */
  readonly hasRunAStep: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  theme: "system",
  serif: false,
  screenReader: false,
  lessonWidth: null,
  editorShare: null,
  paneShares: null,
  pinned: null,
  drawerOpen: true,
  hasRunAStep: false,
};
