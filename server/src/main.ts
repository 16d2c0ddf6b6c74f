/** Composition root: reads the command line, opens everything in the order of its life, and closes it again. */
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Logger, pino } from "pino";
import { type Config, readConfig } from "./config.ts";
import { type HttpServer, makeApp, openHttpServer, openStaticFiles } from "./http/index.ts";
import { openPlayground, type Playground } from "./playground/index.ts";
import {
  freePort,
  type Lock,
  launcherGone,
  openReaper,
  SESSION_VARIABLE,
  type Session,
  sweepSession,
  takeLock,
} from "./processes/index.ts";
import {
  chooseRedis,
  prepareOwnRedis,
  RedisUnusable,
  restoreBinFolder,
  writeBinFolder,
} from "./redis/index.ts";
import { shellEnvironment } from "./terminal/index.ts";
import { openHub } from "./ws/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A signal ends the server within this time; what is left then is the reaper's. */
const LONGEST_GOODBYE_MS = 4_500;

/** How long processes of a session that nobody owned any more may take to end. */
const SWEEP_MS = 3_000;

// A terminal window that was closed takes no more words; that is no reason to stop cleaning up.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

// Everything is closed by then; a timer that somebody forgot must not keep the terminal waiting.
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const command = readConfig(argv, process.env, ROOT);
  if (command.do === "say") {
    const text = command.text === "version" ? `${version()}\n` : command.text;
    (command.exit === 0 ? process.stdout : process.stderr).write(text);
    return command.exit;
  }
  try {
    return await run(command.config);
  } catch (error) {
    const advice = adviceFor(error as NodeJS.ErrnoException, command.config);
    if (advice === undefined) throw error;
    process.stderr.write(`${advice}\n`);
    return 1;
  }
}

async function run(config: Config): Promise<number> {
  const log = pino({ level: config.logLevel }, pino.destination({ fd: 2, sync: true }));
  const ending = endSignal(config);
  const id = randomUUID();
  // Without links, because the working directories of processes are.
  const workspace = await mkdir(config.workspace, { recursive: true, mode: 0o700 }).then(() =>
    realpath(config.workspace),
  );
  const runs = join(workspace, ".run");
  const taken = await takeLock(join(runs, "lock.json"), id);
  if (!taken.held) {
    const at = taken.by.url === null ? "" : ` Its page: ${taken.by.url}`;
    process.stderr.write(
      `A playground runs already with the files in ${config.workspace} (process ${taken.by.pid}).${at}\n` +
        "For a second one beside it: npm start -- --workspace another-folder\n",
    );
    return 1;
  }
  await using lock = taken.lock;
  if (taken.abandoned !== undefined) await bury(sessionIn(runs, taken.abandoned.session));
  const session = sessionIn(runs, id);
  await using _reaper = openReaper(session);
  await using _sweep = { [Symbol.asyncDispose]: () => bury(session) };
  await serve({ config, session, lock, log, ending });
  return 0;
}

interface Serving {
  readonly config: Config;
  /** Its directory holds the programs for the panes and Redis's files. */
  readonly session: Session;
  readonly lock: Lock;
  readonly log: Logger;
  readonly ending: AbortSignal;
}

/** Serves until the signal to end. */
async function serve(serving: Serving): Promise<void> {
  const { config, lock, log, ending } = serving;
  await using playground = await openShells(serving);
  await using hub = openHub({ playground, log });
  const token = randomBytes(32).toString("base64url");
  const app = makeApp({
    version: version(),
    files: openStaticFiles(join(ROOT, "client/dist")),
    log,
    course: () => playground.course(),
    lesson: (slug) => playground.lesson(slug),
    paneText: (id) => paneText(playground, id),
  });
  const options = {
    host: config.host,
    secrets: { token, cookieValue: randomBytes(32).toString("base64url") },
    onRequest: app,
    onUpgrade: (...upgrade: Parameters<typeof hub.upgrade>) => hub.upgrade(...upgrade),
  };
  await using http = await listen(config, (port) => openHttpServer({ ...options, port }));
  const url = `${http.origin}/?token=${token}`;
  await lock.announce(url);
  announce(url, config, playground);
  if (config.open) await openBrowser(url, serving);
  if (!ending.aborted)
    await new Promise((resolve) => ending.addEventListener("abort", resolve, { once: true }));
}

async function openShells({ config, session, log }: Serving): Promise<Playground> {
  const env = process.env;
  const path = shellEnvironment(env, {})["PATH"] ?? "";
  const source = await chooseRedis({
    url: config.redisUrl,
    explicit: config.redisServerBin,
    emulator: config.emulator,
    path,
    pythonEnvironments: [env["VIRTUAL_ENV"], join(ROOT, ".venv")].filter((folder) => folder !== undefined),
  });
  const own =
    source.kind === "external" ? undefined : await prepareOwnRedis(join(session.directory, "redis"));
  const folder = join(session.directory, "bin");
  const bin = { folder, root: ROOT, source, own, path };
  await writeBinFolder(bin);
  const ours = {
    PATH: `${folder}:${path}`,
    REDIS_URL: own?.url ?? config.redisUrl ?? "",
    // For the learner's own web server: two playgrounds on one machine would both want 8000.
    PORT: String(await freePort()),
    [SESSION_VARIABLE]: session.id,
  };
  return openPlayground({
    version: version(),
    lessons: config.lessons,
    workspace: config.workspace,
    source,
    own,
    env: shellEnvironment(env, ours),
    equip: () => restoreBinFolder(bin),
    pty: config.pty,
    log,
  });
}

async function listen(config: Config, attempt: (port: number) => Promise<HttpServer>): Promise<HttpServer> {
  try {
    return await attempt(config.port);
  } catch (error) {
    if (config.portIsWish || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    process.stdout.write(`Port ${config.port} is taken by another program, so any free one is used.\n`);
    return attempt(0);
  }
}

async function paneText(playground: Playground, id: string): Promise<string | undefined> {
  const panes = new Map(Object.entries(playground.panes));
  return panes.get(id)?.text();
}

function announce(url: string, config: Config, playground: Playground): void {
  process.stdout.write(`Celery Playground is ready: ${url}\n`);
  const redis = playground.greeting().find((message) => message.type === "redis")?.redis;
  process.stdout.write(
    `Broker: ${redis?.label}. Your files: ${config.workspace}. Ctrl-C stops everything.\n`,
  );
}

/**
 * Opens the page through a file that only this user can read: the arguments of a program, and so the address with its
 * token, are for every user of the machine to see.
 */
async function openBrowser(url: string, { session, log }: Serving): Promise<void> {
  if (!hasBrowser(process.env)) return;
  const file = join(session.directory, "open.html");
  await writeFile(file, `<meta http-equiv="refresh" content="0; url=${url}">\n`, { mode: 0o600 });
  // Loaded only here: most starts are the second one, and have to be quick.
  const { default: open } = await import("open");
  const child = await open(pathToFileURL(file).href).catch((error: unknown) => {
    log.info({ err: error }, "could not open the browser"); // The address is printed.
  });
  child?.on("error", (error) => log.info({ err: error }, "could not open the browser"));
}

function hasBrowser(env: Readonly<Record<string, string | undefined>>): boolean {
  if (!process.stdout.isTTY || env["CI"] !== undefined || env["SSH_CONNECTION"] !== undefined) return false;
  return process.platform !== "linux" || env["DISPLAY"] !== undefined || env["WAYLAND_DISPLAY"] !== undefined;
}

/** Aborts on Ctrl-C, on being asked to end, and when the launcher is gone. A second Ctrl-C ends at once. */
function endSignal(config: Config): AbortSignal {
  const ending = new AbortController();
  ending.signal.addEventListener("abort", () => {
    process.stdout.write("\nStopping…\n");
    // Nothing that hangs may hold up who wants to leave: the reaper does the rest.
    setTimeout(() => process.exit(0), LONGEST_GOODBYE_MS).unref();
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => (ending.signal.aborted ? process.exit(0) : ending.abort()));
  }
  if (config.endWithLauncher) {
    launcherGone(ending.signal).then(
      () => ending.abort(),
      () => ending.abort(),
    );
  }
  return ending.signal;
}

function sessionIn(runs: string, id: string): Session {
  return { id, directory: join(runs, id) };
}

/** Ends what a session left, and removes its directory. */
async function bury(session: Session): Promise<void> {
  await sweepSession(session, SWEEP_MS);
  await rm(session.directory, { recursive: true, force: true });
}

/** What to tell of an error that whoever typed the command can do something about. */
function adviceFor(error: NodeJS.ErrnoException, config: Config): string | undefined {
  if (error instanceof RedisUnusable) return error.message;
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return `Port ${config.port} is taken by another program. Choose another with --port N, or leave it out to take any free one.`;
    case "EACCES":
      return error.syscall === "listen"
        ? `Port ${config.port} is for the system only. Choose one above 1023 with --port N.`
        : `${error.path} may not be written. Choose another folder with --workspace DIR.`;
    case "EADDRNOTAVAIL":
      return `${config.host} is no address of this machine. Leave --host out to listen on 127.0.0.1.`;
    default:
      return undefined;
  }
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
