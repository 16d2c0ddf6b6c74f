import { PANE_ORDER } from "./pane-layout.ts";
import { type Answer, type LessonProgress, NO_PROGRESS, type Progress } from "./progress.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";

/** The two methods of `localStorage` that we use; a browser may refuse both. */
export interface Box {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export const PROGRESS_KEY = "celery-playground.progress";
export const SETTINGS_KEY = "celery-playground.settings";

/** Reads a kept value; a missing, broken or forbidden one is `undefined`, and the page starts fresh. */
export function readStored(box: Box | undefined, key: string): unknown {
  try {
    const text = box?.getItem(key);
    return text === null || text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // Damaged or forbidden storage must not keep the lesson from opening.
  }
}

/** Keeps a value if the browser lets us. */
export function writeStored(box: Box | undefined, key: string, value: unknown): boolean {
  try {
    box?.setItem(key, JSON.stringify(value));
    return box !== undefined;
  } catch {
    return false; // Private windows and full disks refuse; the session goes on without memory.
  }
}

/** A progress file, as exported from the ⋯ menu; `undefined` when it is not one. */
export function parseProgressFile(text: string): Progress | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value["version"] === 1 && isRecord(value["lessons"])
      ? parseProgress(value)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Takes what is sound and leaves the rest, so that an older or damaged record loses little. */
export function parseProgress(value: unknown): Progress {
  if (!isRecord(value)) return NO_PROGRESS;
  const lessons = isRecord(value["lessons"]) ? value["lessons"] : {};
  return {
    version: 1,
    last: typeof value["last"] === "string" ? value["last"] : null,
    lessons: mapRecord(lessons, parseLesson),
  };
}

function parseLesson(value: unknown): LessonProgress | undefined {
  if (!isRecord(value)) return undefined;
  const hints: unknown[] = Array.isArray(value["hints"]) ? value["hints"] : [];
  return {
    openedAt: numberOrNull(value["openedAt"]),
    doneAt: numberOrNull(value["doneAt"]),
    answers: isRecord(value["answers"]) ? mapRecord(value["answers"], parseAnswer) : {},
    hints: hints.filter((hint) => typeof hint === "string"),
    place: typeof value["place"] === "string" ? value["place"] : null,
  };
}

function parseAnswer(value: unknown): Answer | undefined {
  if (!isRecord(value)) return undefined;
  return {
    picked: typeof value["picked"] === "string" ? value["picked"] : null,
    wrong: numberOrNull(value["wrong"]) ?? 0,
    settled: value["settled"] === true,
  };
}

export function parseSettings(value: unknown): Settings {
  if (!isRecord(value)) return DEFAULT_SETTINGS;
  const theme = value["theme"];
  const shares = value["paneShares"];
  const pinned = PANE_ORDER.find((pane) => pane === value["pinned"]);
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    serif: value["serif"] === true,
    screenReader: value["screenReader"] === true,
    lessonWidth: numberOrNull(value["lessonWidth"]),
    editorShare: numberOrNull(value["editorShare"]),
    paneShares: isShares(shares) ? shares : null,
    pinned: pinned ?? null,
    drawerOpen: value["drawerOpen"] !== false,
    hasRunAStep: value["hasRunAStep"] === true,
  };
}

function isShares(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length === PANE_ORDER.length && value.every((share) => share > 0);
}

function mapRecord<T>(
  record: Record<string, unknown>,
  parse: (value: unknown) => T | undefined,
): Record<string, T> {
  const entries = Object.entries(record).map(([key, value]) => [key, parse(value)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, T] => entry[1] !== undefined));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
