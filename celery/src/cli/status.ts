import { askWorkers } from "../control/index.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues, plural } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const GROUP = "Remote Control Options";
const OPTIONS: readonly OptionSpec[] = [
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    group: GROUP,
    help: "How long to wait for answers. Default: 1.",
  },
  {
    name: "destination",
    short: "d",
    value: "LIST",
    group: GROUP,
    help: "Ask only these nodes, separated by commas.",
  },
  { name: "json", short: "j", group: GROUP, help: "Answer in JSON." },
];

/** sysexits' EX_UNAVAILABLE, as Celery. */
const NOBODY = 69;

export const command: Command = {
  name: "status",
  summary: "Show list of workers that are online.",
  help: renderHelp({
    usage: "celery [-A MODULE] status [OPTIONS]",
    about: "Show list of workers that are online. Exits with 69 if there is none.",
    examples: ["celery -A tasks status", "celery -A tasks status -t 3 -d celery@host"],
    options: OPTIONS,
  }),
  run: (args, context) => showStatus(new OptionValues(OPTIONS, parseOptions(OPTIONS, args)), context),
};

async function showStatus(values: OptionValues, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context;
  const json = values.flag("json");
  const destination = values.list("destination");
  const answers = await withApp(context, ({ brokerUrl }) =>
    askWorkers(brokerUrl, "ping", {
      timeoutSeconds: values.number("timeout", { min: 0 }) ?? 1,
      ...(destination && { destination }),
      onReply: ({ node, answer }) => {
        if (!json) stdout.write(`->  ${node}: ${isError(answer) ? "ERROR" : "OK"}\n`);
      },
    }),
  );
  if (answers.size === 0) {
    stderr.write("Error: No nodes replied within time constraint\n");
    return NOBODY;
  }
  if (json) stdout.write(`${encodeJson(Object.fromEntries(answers))}\n`);
  stdout.write(`\n${answers.size} ${plural(answers.size, "node")} online.\n`);
  return 0;
}

function isError(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "error" in answer;
}
