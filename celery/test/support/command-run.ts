import { PassThrough, Readable } from "node:stream";
import type { CeleryApp } from "../../src/app/types.ts";
import type { Command, CommandContext } from "../../src/cli/command.ts";

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRunOptions {
  readonly app: CeleryApp;
  /** What is piped in. */
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** `-A`; default `tasks`. */
  readonly spec?: string;
  readonly cwd?: string;
}

/** Runs a sub-command in this process, as if its output went into pipes. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  options: CommandRunOptions,
): Promise<CommandRun> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const context = {
    global: {
      app: options.spec ?? "tasks",
      broker: undefined,
      resultBackend: undefined,
      color: false,
      quiet: false,
    },
    cwd: options.cwd ?? process.cwd(),
    env: {},
    stdin: Readable.from([options.stdin ?? ""]),
    stdout,
    stderr,
    loadApp: async () => options.app,
    interrupted: () => options.signal ?? new AbortController().signal,
  } as unknown as CommandContext;
  const [texts, status] = await Promise.all([
    Promise.all([stdout, stderr].map(readAll)),
    command.run(args, context).finally(() => [stdout, stderr].map((stream) => stream.end())),
  ]);
  return { status, stdout: texts[0] ?? "", stderr: texts[1] ?? "" };
}

async function readAll(stream: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
