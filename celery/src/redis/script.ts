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

/** What stands before the keys that a script makes or is given as arguments; its KEYS have it already. */
export interface ScriptPrefixes {
  /** Of the broker's keys: `PREFIX` in Lua. */
  readonly keys: string;
  /** Of the result store's, where it shares the database: `RESULT_PREFIX` in Lua. */
  readonly results: string;
}

const NO_PREFIXES: ScriptPrefixes = { keys: "", results: "" };

/** The text to send, and its name for EVALSHA. */
export function scriptVariant(
  script: Script,
  withFlags: boolean,
  prefixes: ScriptPrefixes = NO_PREFIXES,
): ScriptVariant {
  const names = `local PREFIX, RESULT_PREFIX = ${luaString(prefixes.keys)}, ${luaString(prefixes.results)}\n`;
  const text = `${withFlags && script.allowOom ? "#!lua flags=allow-oom\n" : ""}${names}${script.lua}`;
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

function luaString(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, "0")}`);
  return `'${bytes.join("")}'`;
}
