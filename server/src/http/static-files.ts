import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

/** Below this a gzip header costs more than it saves. */
const WORTH_BYTES = 1_024;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

const TEXT = /^(?:text|application\/(?:json|manifest))|svg/;

export interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  /** The name holds a hash of the content, so a browser may keep it for ever. */
  readonly immutable: boolean;
  /** Made at the first request and kept; `undefined` for what does not shrink. */
  gzipped(): Promise<Buffer | undefined>;
}

/**
 * The built page, in memory. A request names one of its files or none: no path of a request ever reaches the file
 * system.
 */
export interface StaticFiles {
  /** @param path such as `/assets/index-1a2b3c4d.js`; `/` is the page itself. */
  find(path: string): Promise<StaticFile | undefined>;
}

/** @param directory the client's `dist`. It is read again when its `index.html` was built anew. */
export function openStaticFiles(directory: string): StaticFiles {
  let loaded: { builtAt: number; files: ReadonlyMap<string, StaticFile> } | undefined;
  const load = async (): Promise<ReadonlyMap<string, StaticFile>> => {
    const index = await stat(join(directory, "index.html")).catch(() => undefined);
    if (index === undefined) return new Map();
    if (loaded?.builtAt !== index.mtimeMs)
      loaded = { builtAt: index.mtimeMs, files: await readAll(directory) };
    return loaded.files;
  };
  return { find: async (path) => (await load()).get(path === "/" ? "/index.html" : path) };
}

async function readAll(directory: string): Promise<ReadonlyMap<string, StaticFile>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && extname(entry.name) in TYPES);
  return new Map(
    await Promise.all(
      files.map(async (entry) => {
        const file = join(entry.parentPath, entry.name);
        const path = `/${relative(directory, file).split(sep).join("/")}`;
        return [path, makeFile(path, await readFile(file))] as const;
      }),
    ),
  );
}

function makeFile(path: string, bytes: Buffer): StaticFile {
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  let gzipped: Promise<Buffer | undefined> | undefined;
  return {
    type,
    bytes,
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 24)}"`,
    immutable: path.startsWith("/assets/"),
    gzipped: () => {
      gzipped ??=
        TEXT.test(type) && bytes.length >= WORTH_BYTES
          ? compress(bytes, { level: 9 })
          : Promise.resolve(undefined);
      return gzipped;
    },
  };
}
