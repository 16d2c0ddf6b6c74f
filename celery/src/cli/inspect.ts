import { encodeJson } from "../protocol/json.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, type ParsedOptions, parseOptions, renderHelp } from "./options.ts";
import {
  commandRows,
  findRemoteCommand,
  listCommands,
  orUnavailable,
  REMOTE_OPTIONS,
  readAddress,
  readArguments,
  sayAnswer,
  sayCount,
  sayNobody,
} from "./remote.ts";
import { withApp } from "./with-app.ts";

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
  const json = values.flag("json");
  const replies = readAddress(values);
  return orUnavailable(context, () =>
    withApp(context, async ({ control }) => {
      const answers = await control.broadcast<unknown>(info.name, args, {
        ...replies,
        reply: true,
        callback: (node, answer) => {
          if (!json) sayAnswer({ node, answer }, context, true);
        },
      });
      const count = Object.keys(answers).length;
      if (count === 0) return sayNobody(context);
      if (json) return say(stdout, `${encodeJson(answers)}\n`);
      sayCount(count, context);
      return 0;
    }),
  );
}

function say(stdout: NodeJS.WriteStream, text: string): number {
  stdout.write(text);
  return 0;
}
