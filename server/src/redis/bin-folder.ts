import { constants, existsSync } from "node:fs";
import { access, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ownProgram } from "../processes/index.ts";
import { type OwnRedis, writeOwnRedis } from "./own.ts";
import type { RedisSource } from "./source.ts";
import { withoutPassword } from "./url.ts";

export interface BinFolderOptions {
  readonly folder: string;
  /** Root of the project's installation: holds `celery/` and `node_modules/`. */
  readonly root: string;
  readonly source: RedisSource;
  /** `undefined` for an external Redis. */
  readonly own: OwnRedis | undefined;
  /** The value of PATH, to find a real redis-cli. */
  readonly path: string;
}

/**
 * Makes the folder that stands first on the PATH of the panes, with the programs that lessons name: `celery`, `tsx`,
 * `node`, `redis-server` and `redis-cli`, each bound to this session's Redis. What the learner types is what
 * they would type anywhere.
 */
export async function writeBinFolder(options: BinFolderOptions): Promise<void> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const node = quote(process.execPath);
  const scripts: Record<string, string> = {
    celery: `exec ${node} ${quote(join(options.root, "celery/bin/celery.mjs"))} "$@"`,
    tsx: `exec ${node} ${quote(join(options.root, "node_modules/tsx/dist/cli.mjs"))} "$@"`,
    "redis-server": serverScript(options),
    "redis-cli": await clientScript(options),
  };
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(options.folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o700 });
  }
  // The same Node for the learner's commands as for the server, whatever else PATH holds.
  await symlink(process.execPath, join(options.folder, "node")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** Puts the folder and Redis's files back where somebody removed them: they lie in the learner's `.workspace`. */
export async function restoreBinFolder(options: BinFolderOptions): Promise<void> {
  if (existsSync(options.folder)) return;
  if (options.own !== undefined) await writeOwnRedis(options.own);
  await writeBinFolder(options);
}

function serverScript({ source, own }: BinFolderOptions): string {
  if (own === undefined || source.kind === "external") {
    const url = source.kind === "external" ? withoutPassword(source.url) : "";
    return `echo ${quote(`This playground uses the Redis at ${url} (REDIS_URL); it starts none itself.`)} >&2\nexit 1`;
  }
  if (source.kind === "emulator") {
    const program = ownProgram(new URL("./emulator-main.js", import.meta.url));
    return `exec ${[...program, own.configFile].map(quote).join(" ")}`;
  }
  const real = quote(source.binary.path);
  return [
    "# The playground's own Redis: own port, own folder, loopback only, nothing kept on disk.",
    "# Your arguments come after these settings and win.",
    'case "${1-}" in',
    `  -v|--version|-h|--help|--test-memory|--check-system|-) exec ${real} "$@" ;;`,
    "  ''|-*) ;;",
    '  *) set -- --include "$@" ;;',
    "esac",
    "# Redis 8 and Valkey 8 refuse to start where LANG names a locale that is not installed.",
    `LC_ALL=C exec ${real} ${quote(own.configFile)} "$@"`,
  ].join("\n");
}

async function clientScript({ source, own, path }: BinFolderOptions): Promise<string> {
  const real = (await firstOnPath("redis-cli", path)) ?? (await firstOnPath("valkey-cli", path));
  if (real === undefined) {
    const program = ownProgram(new URL("./cli-main.js", import.meta.url));
    return `exec ${program.map(quote).join(" ")} "$@"`;
  }
  if (own === undefined) {
    const url = new URL(source.kind === "external" ? source.url : "redis://localhost");
    return withOwnAddress(real, externalClient(real, url));
  }
  const address = `-h 127.0.0.1 -p ${own.port}`;
  return withOwnAddress(real, `REDISCLI_AUTH=${own.password} exec ${quote(real)} ${address} "$@"`);
}

/** The password goes by the environment: arguments are for every user of the machine to see. */
function externalClient(real: string, { username, password, protocol, host, pathname }: URL): string {
  const user = username === "" ? "" : ` --user ${quote(decodeURIComponent(username))}`;
  const secret = password === "" ? "" : `REDISCLI_AUTH=${quote(decodeURIComponent(password))} `;
  return `${secret}exec ${quote(real)}${user} -u ${quote(`${protocol}//${host}${pathname}`)} "$@"`;
}

/** Whoever names a server means that one, and must not send it our password. */
function withOwnAddress(real: string, command: string): string {
  return [
    "for argument do",
    '  case "$argument" in',
    `    -h|-p|-s|-u) exec ${quote(real)} "$@" ;;`,
    "  esac",
    "done",
    command,
  ].join("\n");
}

async function firstOnPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** As one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
