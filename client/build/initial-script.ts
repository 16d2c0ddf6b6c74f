import { gzipSync } from "node:zlib";

/** The script that must arrive before the first lesson is readable, in bytes as sent with gzip. */
export const INITIAL_SCRIPT_LIMIT_BYTES: number = 150 * 1024;

/** The part of a built chunk that the measure needs; Rollup's and Rolldown's `OutputChunk` fit it. */
export interface Chunk {
  readonly type: "chunk";
  readonly fileName: string;
  readonly code: string;
  readonly isEntry: boolean;
  /** File names of the chunks that this one imports before it runs. */
  readonly imports: readonly string[];
}

type Output = Chunk | { readonly type: "asset"; readonly fileName: string };

export interface InitialScript {
  readonly files: readonly string[];
  readonly gzipBytes: number;
}

/** Sums the entry and everything it imports statically; what loads after first paint is not counted. */
export function measureInitialScript(output: readonly Output[]): InitialScript {
  const chunks = new Map(output.filter(isChunk).map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set<string>();
  const visit = (name: string): void => {
    if (needed.has(name) || !chunks.has(name)) return;
    needed.add(name);
    chunks.get(name)?.imports.forEach(visit);
  };
  for (const chunk of chunks.values()) if (chunk.isEntry) visit(chunk.fileName);
  const files = [...needed];
  const gzipBytes = files.reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? "").length, 0);
  return { files, gzipBytes };
}

function isChunk(item: Output): item is Chunk {
  return item.type === "chunk";
}
