/**
 * A small redis-cli, run by the `redis-cli` wrapper where no real one is installed: one command, commands from a
 * pipe or a prompt, MONITOR and SUBSCRIBE. Connects to `REDIS_URL`.
 */
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./cli-connection.ts";
import { formatForPeople, formatForPrograms } from "./cli-format.ts";
import { CLI_USAGE, type CliOptions, parseCliOptions } from "./cli-options.ts";
import { splitWords } from "./cli-words.ts";
import type { Reply } from "./resp.ts";

/** Commands after which replies come without being asked for. */
const STREAMS: ReadonlySet<string> = new Set(["monitor", "subscribe", "psubscribe", "ssubscribe"]);

process.exitCode = await main(process.argv.slice(2), process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/0");

async function main(args: readonly string[], url: string): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(CLI_USAGE);
    return 0;
  }
  try {
    const options = parseCliOptions(args, url);
    await using connection = await Connection.open(options);
    await greet(connection, options);
    await work(connection, options);
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}

async function greet(connection: Connection, options: CliOptions): Promise<void> {
  const name = options.username === undefined ? [] : [options.username];
  if (options.password !== undefined) await accepted(connection, ["AUTH", ...name, options.password]);
  if (options.database !== 0) await accepted(connection, ["SELECT", String(options.database)]);
}

async function accepted(connection: Connection, words: readonly string[]): Promise<void> {
  const reply = await connection.ask(words);
  if (reply.kind === "error") process.stderr.write(`${words[0]} failed: ${reply.text}\n`);
}

async function work(connection: Connection, options: CliOptions): Promise<void> {
  if (options.command.length > 0) {
    for (let time = 0; time < options.repeat; time += 1) {
      if (time > 0) await delay(options.intervalSeconds * 1000);
      await execute(connection, options.command, options);
    }
    return;
  }
  await readCommands(connection, options);
}

async function readCommands(connection: Connection, options: CliOptions): Promise<void> {
  const prompt = process.stdin.isTTY ? `${options.host}:${options.port}> ` : "";
  const lines = createInterface({
    input: process.stdin,
    output: process.stdin.isTTY ? process.stdout : undefined,
    prompt,
  });
  if (prompt !== "") lines.prompt();
  for await (const line of lines) {
    const words = splitWords(line);
    if (words === undefined) process.stdout.write("Invalid argument(s)\n");
    else if (/^(?:quit|exit)$/i.test(words[0] ?? "")) return;
    else if (words.length > 0) await execute(connection, words, options);
    if (prompt !== "") lines.prompt();
  }
}

async function execute(connection: Connection, words: readonly string[], options: CliOptions): Promise<void> {
  show(await connection.ask(words), options);
  if (!STREAMS.has(words[0]?.toLowerCase() ?? "")) return;
  for await (const reply of connection.replies()) show(reply, options);
}

function show(reply: Reply, options: CliOptions): void {
  const raw = options.raw ?? !process.stdout.isTTY;
  process.stdout.write(raw ? `${formatForPrograms(reply)}\n` : formatForPeople(reply));
}
