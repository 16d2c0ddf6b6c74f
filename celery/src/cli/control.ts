import type { CommandInfo } from "../control/index.ts";
import { encodeJson } from "../protocol/json.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, type ParsedOptions, parseOptions, renderHelp } from "./options.ts";
import {
  askNodes,
  commandRows,
  findRemoteCommand,
  listCommands,
  REMOTE_OPTIONS,
  readArguments,
} from "./remote.ts";

const REVOKING = "Options of revoke and revoke_by_stamped_headers";
const OPTIONS: readonly OptionSpec[] = [
  ...REMOTE_OPTIONS,
  { name: "terminate", group: REVOKING, help: "End the task too if it runs." },
  { name: "signal", value: "NAME", group: REVOKING, help: "What its process gets then. Default: TERM." },
  { name: "list", help: "List available control commands and exit." },
];

export const command: Command = {
  name: "control",
  summary: "Send the COMMAND control command to the workers.",
  help: renderHelp({
    usage: "celery [-A MODULE] control [OPTIONS] COMMAND [ARGS]...",
    about:
      "Send the COMMAND control command to the workers. Exits with 69 if nobody answers, as after shutdown.",
    examples: [
      "celery -A tasks control rate_limit tasks.add 10/m",
      "celery -A tasks control revoke --terminate TASK_ID",
      "celery -A tasks control -d celery@host pool_grow 2",
    ],
    options: OPTIONS,
    lists: [{ title: "Control Commands", rows: commandRows("control") }],
  }),
  options: OPTIONS,
  run: (args, context) =>
    control(parseOptions(OPTIONS, args, { maxPositionals: Number.POSITIVE_INFINITY }), context),
};

async function control(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const values = new OptionValues(OPTIONS, parsed);
  const { stdout } = context;
  if (values.flag("list")) {
    stdout.write(listCommands("control"));
    return 0;
  }
  const [name, ...words] = parsed.positionals;
  const info = findRemoteCommand("control", name);
  const args = { ...readArguments(info, words), ...readRevoking(values, info) };
  return askNodes(info.name, args, { values, context }, (answers) => {
    const entries = Object.entries(answers).map(([node, answer]) => ({ [node]: answer }));
    if (values.flag("json")) stdout.write(`${encodeJson(entries)}\n`);
    return 0;
  });
}

function readRevoking(values: OptionValues, { name }: CommandInfo): Readonly<Record<string, unknown>> {
  const terminate = values.flag("terminate");
  const signal = values.text("signal");
  if (!terminate && signal === undefined) return {};
  if (!["revoke", "revoke_by_stamped_headers"].includes(name))
    throw new UsageError(`'--terminate' and '--signal' belong to revoke, not to ${name}.`);
  return { terminate, ...(signal !== undefined && { signal }) };
}
