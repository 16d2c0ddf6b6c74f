import { readFile } from "node:fs/promises";

/** What tasks wrote down: how often each began, and how often it ended. */
export interface Ledger {
  readonly begun: ReadonlyMap<number, number>;
  readonly ended: ReadonlyMap<number, number>;
  /** Which process began it last. */
  readonly process: ReadonlyMap<number, number>;
}

export async function readLedger(path: string): Promise<Ledger> {
  const text = await readFile(path, "utf8").catch(() => "");
  const begun = new Map<number, number>();
  const ended = new Map<number, number>();
  const process = new Map<number, number>();
  for (const line of text.split("\n")) {
    const [n, what, pid] = line.split(" ");
    const counts = what === "begun" ? begun : what === "ended" ? ended : undefined;
    counts?.set(Number(n), (counts.get(Number(n)) ?? 0) + 1);
    if (what === "begun") process.set(Number(n), Number(pid));
  }
  return { begun, ended, process };
}
