/** Where this package's modules lie: `src/` when run from source, `dist/` when built. */
const HOME = /^.*\/(?:src|dist)\//.exec(import.meta.url)?.[0] ?? import.meta.url;

/** True when this runs from source, for which Node 20 needs a loader. */
export const fromSource: boolean = HOME.endsWith("/src/");

/**
 * The file that a process or a thread of ours starts with, from source and as built alike. The built code is bundled: where a
 * module lies there, says nothing about where others lie (ADR 35).
 *
 * @param path without its extension, as below `src`: `pool/child-main`.
 */
export function ownModule(path: string): URL {
  return new URL(path + (fromSource ? ".ts" : ".js"), HOME);
}
