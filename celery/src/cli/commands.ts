import type { Command } from "./command.ts";

/**
 * Every sub-command of `celery`, in the order of its help page. Loaded on demand: `celery worker` must not pay
 * for what `celery shell` imports.
 */
export const commandLoaders: Readonly<Record<string, () => Promise<Command>>> = {};
