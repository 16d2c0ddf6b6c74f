/** What a shell may know of the server's environment; everything else (tokens, `NODE_OPTIONS`, `npm_*`) stays behind. */
const INHERITED = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"] as const;

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/**
 * A fresh environment for the shells: an allow-list of `base`, a terminal that knows colours and UTF-8, and `extra`
 * on top.
 *
 * `PATH` loses what `npm start` puts in front of it, so that a command is the same program however the server was
 * started, and empty entries, which would mean the current folder.
 */
export function shellEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = base[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    ...locale(base),
    PATH: searchPath(base["PATH"]),
    HOME: base["HOME"] ?? "/",
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    ...extra,
  };
}

function searchPath(path: string | undefined): string {
  const kept = (path ?? "").split(":").filter((folder) => folder !== "" && !isOfNpm(folder));
  return kept.length === 0 ? DEFAULT_PATH : kept.join(":");
}

function isOfNpm(folder: string): boolean {
  return folder.endsWith("node_modules/.bin") || folder.includes("node-gyp-bin");
}

/** Without a UTF-8 locale a shell would count bytes for characters and break the line that it edits. */
function locale(base: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const effective = base["LC_ALL"] ?? base["LC_CTYPE"] ?? base["LANG"] ?? "";
  if (/utf-?8/i.test(effective)) return {};
  const utf8 = process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8";
  return { LANG: utf8, ...(base["LC_ALL"] === undefined ? {} : { LC_ALL: utf8 }), LC_CTYPE: utf8 };
}
