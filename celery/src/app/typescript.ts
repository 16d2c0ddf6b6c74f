import { register } from "node:module";
import { ownModule } from "../runtime/own-module.ts";

/**
 * Has Node read TypeScript: by itself from 22.18 on, before that by tsx's hooks. Those are registered as they are: tsx's own `register` loads
 * all of tsx into this thread as well as into the one where hooks run, which takes as long again in every process of a pool (ADR 47).
 *
 * What is not known to be TypeScript yet may be loaded afterwards only. Doing it twice does no harm.
 */
export function makeTypeScriptLoadable(): void {
  if ((process.features as { typescript?: unknown }).typescript) return;
  // Stacks name the lines that people wrote.
  process.setSourceMapsEnabled(true);
  const parentURL = import.meta.url;
  register(import.meta.resolve("tsx/esm"), { parentURL, data: {} });
  register(ownModule("app/typescript-hooks").href, { parentURL });
}
