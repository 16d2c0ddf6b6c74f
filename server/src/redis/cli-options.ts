/** Where to connect, and what to do there. */
export interface CliOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** `true`: as for programs; `undefined`: as the output is a terminal or not. */
  readonly raw: boolean | undefined;
  readonly repeat: number;
  readonly intervalSeconds: number;
  readonly command: readonly string[];
}

export const CLI_USAGE = `Usage: redis-cli [OPTIONS] [command [argument...]]
The playground's own small redis-cli; install redis-tools for the full one.

  -h HOST  -p PORT  -a PASSWORD  --user NAME  -n DATABASE  -u redis://…
  -r TIMES  -i SECONDS       repeat the command
  --raw  --no-raw            replies for programs, or for people
  --scan [--pattern GLOB]    print the keys

Without a command: reads commands from the prompt, or one per line from a pipe.
`;

type Draft = { -readonly [Key in keyof CliOptions]: CliOptions[Key] };

const TAKES_VALUE: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  "-h": (draft, value) => {
    draft.host = value;
  },
  "-p": (draft, value) => {
    draft.port = number("-p", value);
  },
  "-a": (draft, value) => {
    draft.password = value;
  },
  "--user": (draft, value) => {
    draft.username = value;
  },
  "-n": (draft, value) => {
    draft.database = number("-n", value);
  },
  "-u": (draft, value) => Object.assign(draft, fromUrl(value)),
  "-r": (draft, value) => {
    draft.repeat = number("-r", value);
  },
  "-i": (draft, value) => {
    draft.intervalSeconds = number("-i", value);
  },
};

/**
 * @param args as typed, options first.
 * @param url the address without any option: `REDIS_URL` of the pane.
 * @throws a plain Error whose message is for the terminal.
 */
export function parseCliOptions(args: readonly string[], url: string): CliOptions {
  const draft: Draft = {
    host: "127.0.0.1",
    port: 6379,
    username: undefined,
    password: undefined,
    database: 0,
    raw: undefined,
    repeat: 1,
    intervalSeconds: 0,
    command: [],
    ...fromUrl(url),
  };
  // Whoever names a server means that one, and must not send it our password.
  if (args.some((arg) => arg === "-h" || arg === "-p" || arg === "-u")) draft.password = undefined;
  let index = 0;
  for (; index < args.length && args[index]?.startsWith("-"); index += 1) {
    const name = args[index] ?? "";
    const take = TAKES_VALUE[name];
    if (take !== undefined) {
      index += 1;
      take(draft, value(name, args[index]));
    } else if (name === "--raw" || name === "--no-raw") draft.raw = name === "--raw";
    else if (name === "--scan") return { ...draft, command: scanWords(args.slice(index + 1)) };
    else if (name !== "--no-auth-warning") throw new Error(`Unrecognized option: ${name}\n${CLI_USAGE}`);
  }
  return { ...draft, command: args.slice(index) };
}

/** `--scan` is a loop of SCAN in the real one; on a playground's Redis one KEYS is the same. */
function scanWords(args: readonly string[]): readonly string[] {
  const at = args.indexOf("--pattern");
  return ["KEYS", at < 0 ? "*" : value("--pattern", args[at + 1])];
}

function fromUrl(text: string): Partial<Draft> {
  if (!URL.canParse(text)) throw new Error(`"${text}" is no Redis URL; write redis://HOST:PORT/DATABASE`);
  const url = new URL(text);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    database: Number(url.pathname.slice(1) || 0),
  };
}

function value(name: string, text: string | undefined): string {
  if (text === undefined) throw new Error(`${name} needs a value\n${CLI_USAGE}`);
  return text;
}

function number(name: string, text: string): number {
  const parsed = Number(text);
  if (text === "" || !Number.isFinite(parsed) || parsed < 0)
    throw new Error(`${name} needs a number, not "${text}"`);
  return parsed;
}
