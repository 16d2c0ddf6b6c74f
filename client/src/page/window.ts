import { computed, effect, untracked } from "@preact/signals";
import type { Actions } from "../state/actions.ts";
import type { Store, Viewport } from "../state/store.ts";
import { type Box, PROGRESS_KEY, SETTINGS_KEY, writeStored } from "../state/stored.ts";

const WIDE = "(min-width: 1200px)";
const NARROW = "(max-width: 799.98px)";

/** `localStorage`, where the browser allows it. */
export function storageBox(): Box | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined; // Reading the property throws where storage is forbidden.
  }
}

/** Keeps progress and settings as they change. */
export function keepInBrowser(store: Store, box: Box | undefined): void {
  effect(() => void writeStored(box, PROGRESS_KEY, store.progress.value));
  effect(() => void writeStored(box, SETTINGS_KEY, store.settings.value));
}

/** Follows the window's width, and puts theme and title where CSS and the browser look for them. */
export function followWindow(store: Store): void {
  const measure = (): void => {
    store.viewport.value = viewport();
  };
  for (const query of [WIDE, NARROW]) matchMedia(query).addEventListener("change", measure);
  measure();
  effect(() => {
    const { theme } = store.settings.value;
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  });
  effect(() => {
    const lesson = store.lesson.value;
    document.title =
      lesson === null ? "Celery Playground" : `${lesson.number}. ${lesson.title} – Celery Playground`;
  });
}

function viewport(): Viewport {
  if (matchMedia(WIDE).matches) return "wide";
  return matchMedia(NARROW).matches ? "narrow" : "middle";
}

/** Typing survives a drop of the connection and a closed tab. */
export function keepTyping(store: Store, actions: Actions): void {
  // Every pong renews the connection's latency; only its coming counts here.
  const isOpen = computed(() => store.connection.value.phase === "open");
  effect(() => {
    if (isOpen.value) untracked(() => actions.connected());
  });
  window.addEventListener("pagehide", () => void actions.saveNow());
  window.addEventListener("beforeunload", (event) => {
    const isUnsaved = [...store.buffers.value.values()].some((buffer) => buffer.save.phase !== "saved");
    if (isUnsaved && store.connection.value.phase !== "open") event.preventDefault();
  });
}

/** A machine that woke up or a tab that is looked at again should not wait for the next attempt. */
export function retryWhenBack(actions: Actions): void {
  window.addEventListener("online", () => actions.retryNow());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") actions.retryNow();
  });
}

/** SHA-256 of the text's UTF-8 bytes in hex: the server's hash of a file. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
