import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";

/** What the command line and the environment ask for, parsed once. Paths are absolute. */
export interface Config {
  readonly port: number;
  /** The learner named the port: a taken one is an error then, and not a reason to take another. */
  readonly portIsWish: boolean;
  /** Address to listen on. */
  readonly host: string;
  readonly open: boolean;
  /** Folder of the learner's files, one folder per lesson. */
  readonly workspace: string;
  readonly lessons: string;
  readonly redisUrl: string | undefined;
  readonly redisServerBin: string | undefined;
  /** Use the emulator even where a real server is installed. */
  readonly emulator: boolean;
  readonly logLevel: LogLevel;
  /** Takes this way to a terminal or none. */
  readonly pty: PtyWay | undefined;
  /** End when the program that launched the server ends. */
  readonly endWithLauncher: boolean;
}

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

const PTY_WAYS = ["native", "python", "script", "pipes"] as const;
type PtyWay = (typeof PTY_WAYS)[number];

/** What to do: run, or only say something and end with `exit`. */
export type Command =
  | { readonly do: "run"; readonly config: Config }
  | { readonly do: "say"; readonly text: string; readonly exit: number };

/** Tried first, so that a bookmark and the page's settings survive a restart. */
const USUAL_PORT = 7480;

const USAGE: string = `Usage: npm start -- [options]
       node server/dist/main.js [options]

Starts Celery Playground and prints the address of its page.

  --port N          listen on this port (also: PORT=N); 0 takes any free one.
                    Without it: ${USUAL_PORT}, or any free one when that is taken
  --no-open         do not open the browser
  --workspace DIR   where your copies of the lessons' files are (.workspace)
  --lessons DIR     read the course from here (lessons)
  --emulator        use the built-in Redis emulator even if redis-server is installed
  --pty WAY         run the panes by one of: ${PTY_WAYS.join(", ")} (the first that works)
  --host ADDRESS    listen on this address instead of 127.0.0.1; needs --allow-shell-access
  --allow-shell-access
                    yes, whoever reaches that address and has the token may run any command as me
  --help, --version

Environment: REDIS_URL uses that Redis instead of starting one; REDIS_SERVER_BIN names the
redis-server to start; LOG_LEVEL is one of ${LOG_LEVELS.join(", ")} (warn).
`;

const FLAGS = {
  port: { type: "string" },
  host: { type: "string" },
  "allow-shell-access": { type: "boolean" },
  "no-open": { type: "boolean" },
  workspace: { type: "string" },
  lessons: { type: "string" },
  emulator: { type: "boolean" },
  pty: { type: "string" },
  "end-with-launcher": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

const portText = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((port) => port <= 65_535);

const settings = z.object({
  port: portText.optional(),
  host: z.string().refine((host) => host === "localhost" || isIP(host) !== 0),
  logLevel: z.enum(LOG_LEVELS),
  pty: z.enum(PTY_WAYS).optional(),
});

const ADVICE: Readonly<Record<keyof z.infer<typeof settings>, string>> = {
  port: "is no port; give a number from 0 to 65535",
  host: "is no address of this machine; give an IP address",
  logLevel: `is no log level; give one of ${LOG_LEVELS.join(", ")}`,
  pty: `is no way to run panes; give one of ${PTY_WAYS.join(", ")}`,
};

/**
 * Reads arguments and environment; every bad value is reported, not only the first.
 *
 * @param argv without the program and its script.
 * @param root of the project's installation, for the defaults.
 */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  root: string,
): Command {
  const flags = parseFlags(argv);
  if (typeof flags === "string") return refuse([flags]);
  if (flags.help === true) return { do: "say", text: USAGE, exit: 0 };
  if (flags.version === true) return { do: "say", text: "version", exit: 0 };
  const given = {
    port: flags.port ?? emptyAsUnset(env["PORT"]),
    host: flags.host ?? "127.0.0.1",
    logLevel: emptyAsUnset(env["LOG_LEVEL"]) ?? "warn",
    pty: flags.pty,
  };
  const parsed = settings.safeParse(given);
  const problems = parsed.success ? [] : describe(parsed.error, given);
  if (!isLoopback(given.host) && flags["allow-shell-access"] !== true)
    problems.push(exposureProblem(given.host));
  if (!parsed.success || problems.length > 0) return refuse(problems);
  const config: Config = {
    port: parsed.data.port ?? USUAL_PORT,
    portIsWish: parsed.data.port !== undefined,
    // A name may resolve to another loopback address than the one that is printed.
    host: parsed.data.host === "localhost" ? "127.0.0.1" : parsed.data.host,
    open: flags["no-open"] !== true,
    workspace: resolve(flags.workspace ?? resolve(root, ".workspace")),
    lessons: resolve(flags.lessons ?? resolve(root, "lessons")),
    redisUrl: emptyAsUnset(env["REDIS_URL"]),
    redisServerBin: emptyAsUnset(env["REDIS_SERVER_BIN"]),
    emulator: flags.emulator === true,
    logLevel: parsed.data.logLevel,
    pty: parsed.data.pty,
    endWithLauncher: flags["end-with-launcher"] === true,
  };
  return { do: "run", config };
}

/** Only this machine can connect to such an address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

type Flags = ReturnType<typeof parseArgs<{ options: typeof FLAGS; strict: true }>>["values"];

function parseFlags(argv: readonly string[]): Flags | string {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    return (error as Error).message.split(". ")[0] ?? "";
  }
}

function emptyAsUnset(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}

function describe(error: z.ZodError, given: Readonly<Record<string, string | undefined>>): string[] {
  return error.issues.map(({ path }) => {
    const name = String(path[0]) as keyof typeof ADVICE;
    return `${name === "logLevel" ? "LOG_LEVEL" : `--${name}`} "${given[name]}" ${ADVICE[name]}.`;
  });
}

function exposureProblem(host: string): string {
  return (
    `--host ${host} would offer a shell on this machine to everyone who can reach it and gets the token. ` +
    "If you mean it, add --allow-shell-access; to show the page to others, share your screen instead."
  );
}

function refuse(problems: readonly string[]): Command {
  return { do: "say", text: `${problems.join("\n")}\n\nnpm start -- --help lists the options.\n`, exit: 2 };
}
