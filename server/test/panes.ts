import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PaneState, PtyRung } from "../src/protocol/index.ts";
import {
  choosePty,
  openPane,
  type Pane,
  type PaneOptions,
  type PtyFactory,
  shellEnvironment,
  type TerminalLog,
} from "../src/terminal/index.ts";

export const quietLog: TerminalLog = { debug: () => {}, info: () => {}, warn: () => {} };

/** A shell's environment as the server makes it, here from the test's own. */
export function anEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return shellEnvironment(process.env, extra);
}

/** The ways to a terminal that work on this machine, best first. */
export async function workingRungs(): Promise<readonly PtyFactory[]> {
  const all: PtyRung[] = ["native", "python", "script", "pipes"];
  const found = await Promise.all(
    all.map((forced) => choosePty({ env: anEnvironment(), log: quietLog, forced }).catch(() => undefined)),
  );
  return found.filter((factory) => factory !== undefined);
}

/** A pane in an empty folder of its own, with its shell at the prompt. `watch` sees it before its first output. */
export async function aPane(
  options: Partial<PaneOptions> = {},
  watch: (pane: Pane) => void = () => {},
): Promise<Pane> {
  const folder = await mkdtemp(join(tmpdir(), "celery-playground-test-"));
  const pane = await openPane({
    id: "worker",
    cwd: folder,
    env: anEnvironment(),
    cols: 80,
    rows: 24,
    log: quietLog,
    ...options,
  });
  watch(pane);
  const close = pane[Symbol.asyncDispose].bind(pane);
  pane[Symbol.asyncDispose] = async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  };
  await untilPane(pane, (state) => state.phase === "idle");
  return pane;
}

/** The pane's state now or the next that fits. */
export function untilPane(pane: Pane, fits: (state: PaneState) => boolean): Promise<PaneState> {
  return new Promise((resolve) => {
    const look = (state: PaneState): void => {
      if (!fits(state)) return;
      pane.events.off("state", look);
      resolve(state);
    };
    pane.events.on("state", look);
    look(pane.state);
  });
}

/** The next line or unfinished line that matches. */
export function untilPrinted(pane: Pane, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const look = (text: string): void => {
      if (!pattern.test(text)) return;
      pane.events.off("line", look);
      pane.events.off("partial", look);
      resolve(text);
    };
    pane.events.on("line", look);
    pane.events.on("partial", look);
  });
}

/** When this came out of the pane from now on, echo and prompts too. */
export function untilShown(pane: Pane, text: string): Promise<void> {
  let seen = "";
  return new Promise((resolve) => {
    const look = (bytes: Uint8Array): void => {
      seen += Buffer.from(bytes).toString();
      if (!seen.includes(text)) return;
      pane.events.off("output", look);
      resolve();
    };
    pane.events.on("output", look);
  });
}

/** Every line printed from now on. */
export function linesOf(pane: Pane): string[] {
  const lines: string[] = [];
  pane.events.on("line", (line) => lines.push(line));
  return lines;
}
