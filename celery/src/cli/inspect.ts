import { encodeJson } from "../protocol/json.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, type ParsedOptions, parseOptions, renderHelp } from "./options.ts";
import {
  askNodes,
  commandRows,
  findRemoteCommand,
  listCommands,
  REMOTE_OPTIONS,
  readArguments,
  sayCount,
} from "./remote.ts";

const OPTIONS: readonly OptionSpec[] = [
  ...REMOTE_OPTIONS,
  { name: "list", help: "List available inspect commands and exit." },
];

export const command: Command = {
  name: "inspect",
  summary: "Inspect the workers by sending them the COMMAND inspect command.",
  help: renderHelp({
    usage: "celery [-A MODULE] inspect [OPTIONS] COMMAND [ARGS]...",
    about:
      "Inspect the workers by sending them the COMMAND inspect command. Exits with 69 if nobody answers.",
    examples: [
      "celery -A tasks inspect active",
      "celery -A tasks inspect registered max_retries",
      "celery -A tasks inspect stats -j -d celery@host",
    ],
    options: OPTIONS,
    lists: [{ title: "Inspect Commands", rows: commandRows("inspect") }],
  }),
  options: OPTIONS,
  run: (args, context) =>
    inspect(parseOptions(OPTIONS, args, { maxPositionals: Number.POSITIVE_INFINITY }), context),
};

async function inspect(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const values = new OptionValues(OPTIONS, parsed);
  const { stdout } = context;
  if (values.flag("list")) return say(stdout, listCommands("inspect"));
  const [name, ...words] = parsed.positionals;
  const info = findRemoteCommand("inspect", name);
  const args = readArguments(info, words);
  return askNodes(info.name, args, { values, context }, (answers) => {
    if (values.flag("json")) return say(stdout, `${encodeJson(answers)}\n`);
    sayCount(Object.keys(answers).length, context);
    return 0;
  });
}

function say(stdout: NodeJS.WriteStream, text: string): number {
  stdout.write(text);
  return 0;
}
