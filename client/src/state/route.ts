/** Lines of a file that a link points at, counted from 1; `to` equals `from` for one line. */
export interface FileTarget {
  readonly path: string;
  readonly from: number | null;
  readonly to: number | null;
}

/** What the address bar asks for. */
export type Route =
  | { readonly page: "home" }
  | {
      readonly page: "lesson";
      readonly slug: string;
      readonly file: FileTarget | null;
      /** Id of a step or heading to scroll to. */
      readonly anchor: string | null;
    }
  | { readonly page: "unknown"; readonly path: string };

/** The three parts of a location that the page reads; `location` and `URL` both fit. */
export interface Address {
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/**
 * Reads `/`, `/l/<slug>`, `/l/<slug>?file=tasks.ts#L3-L5` and `/l/<slug>#<step id>`.
 * Any other path is `unknown`; the page says so instead of guessing.
 */
export function parseRoute(address: Address): Route {
  if (address.pathname === "/" || address.pathname === "/index.html") return { page: "home" };
  const slug = /^\/l\/([^/]+)\/?$/.exec(address.pathname)?.[1];
  if (slug === undefined) return { page: "unknown", path: address.pathname };
  const path = new URLSearchParams(address.search).get("file");
  const hash = decode(address.hash.replace(/^#/, ""));
  if (path === null || path === "") {
    return { page: "lesson", slug: decode(slug), file: null, anchor: hash === "" ? null : hash };
  }
  return { page: "lesson", slug: decode(slug), file: { path, ...parseLines(hash) }, anchor: null };
}

/** The address of a lesson, or of one of its steps. */
export function lessonHref(slug: string, anchor: string | null = null): string {
  return `/l/${encodeURIComponent(slug)}${anchor === null ? "" : `#${encodeURIComponent(anchor)}`}`;
}

/** Reads `L8` and `L3-L5`; anything else points at the whole file. */
export function parseLines(hash: string): { from: number | null; to: number | null } {
  const match = /^L(\d+)(?:-L?(\d+))?$/.exec(hash);
  if (match === null) return { from: null, to: null };
  const from = Number(match[1]);
  return { from, to: match[2] === undefined ? from : Math.max(from, Number(match[2])) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A stray "%" in an address is the address's own text.
  }
}
