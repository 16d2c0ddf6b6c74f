import { createHash } from "node:crypto";

/**
 * A Lua script. Its text lives in a TypeScript module of `scripts/`, not in a `.lua` file, so that it is there
 * both when run from source and from `dist`, without a build step that copies files.
 */
export interface Script {
  readonly name: string;
  /** Without the `#!lua` line. */
  readonly lua: string;
  /**
   * May write when Redis is at `maxmemory`: a worker must be able to drain. Redis before 7 and the emulator do
   * not know the flag; there the script runs without it.
   */
  readonly allowOom: boolean;
}

export interface ScriptVariant {
  readonly text: string;
  readonly sha: string;
}

/** The text to send, and its name for EVALSHA. */
export function scriptVariant(script: Script, withFlags: boolean): ScriptVariant {
  const text = withFlags && script.allowOom ? `#!lua flags=allow-oom\n${script.lua}` : script.lua;
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
