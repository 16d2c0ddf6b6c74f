import type { ControlCommand } from "./mailbox.ts";
import { ControlError } from "./panel.ts";

/** Samples that `memdump` can show. */
const SAMPLES_KEPT = 1000;
const DEFAULT_SHOWN = 10;

/**
 * `memsample` notes how much memory the worker's main process takes, `memdump` shows what was noted since the last time.
 *
 * @see celery 5.7.0 utils/debug.py
 */
export function memoryCommands(): Readonly<Record<string, ControlCommand>> {
  const samples: string[] = [];
  const sample = (): string => {
    const text = formatBytes(process.memoryUsage.rss());
    samples.push(text);
    if (samples.length > SAMPLES_KEPT) samples.shift();
    return text;
  };
  return {
    memsample: sample,
    memdump: (args) => {
      const shown = spread(
        samples.splice(0),
        typeof args["samples"] === "number" ? args["samples"] : DEFAULT_SHOWN,
      );
      const now = formatBytes(process.memoryUsage.rss());
      return [
        ...(shown.length > 0 ? ["- rss (sample):", ...shown.map((text) => `-    > ${text},`)] : []),
        `- rss (end): ${now}.`,
        "",
      ].join("\n");
    },
    objgraph: () => {
      throw new ControlError(
        "objgraph draws Python objects. For a Node worker start it with NODE_OPTIONS=--heapsnapshot-signal=SIGUSR2, " +
          "send that signal, and open the .heapsnapshot file in Chrome's developer tools.",
      );
    },
  };
}

/** At most `count` of them, evenly taken. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (count < 1 || items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as T);
}

/** `50.39MB`. */
function formatBytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2)}MB`;
}
