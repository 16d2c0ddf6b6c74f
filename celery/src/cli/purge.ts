import { createInterface } from "node:readline";
import { knownQueues } from "../app/known-queues.ts";
import type { CeleryApp } from "../app/types.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues, plural } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const GROUP = "Purging Options";
const OPTIONS: readonly OptionSpec[] = [
  { name: "force", short: "f", group: GROUP, help: "Do not ask." },
  {
    name: "queues",
    short: "Q",
    value: "LIST",
    group: GROUP,
    help: "Queues to empty, separated by commas. Default: all that the app knows.",
  },
  { name: "exclude-queues", short: "X", value: "LIST", group: GROUP, help: "Queues not to empty." },
];

export const command: Command = {
  name: "purge",
  summary: "Erase all messages from all known task queues.",
  help: renderHelp({
    usage: "celery -A MODULE purge [OPTIONS]",
    about:
      "Erase all messages from all known task queues. There is no undo. What a worker has taken already is not touched.",
    examples: ["celery -A tasks purge", "celery -A tasks purge -f -Q training"],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => {
    const values = new OptionValues(OPTIONS, parseOptions(OPTIONS, args));
    return withApp(context, (app) => purge(app, values, context));
  },
};

async function purge(app: CeleryApp, values: OptionValues, context: CommandContext): Promise<number> {
  const excluded = new Set(values.list("exclude-queues"));
  const names = [...new Set(values.list("queues") ?? knownQueues(app.conf))]
    .filter((name) => !excluded.has(name))
    .sort();
  if (names.length === 0) return 0;
  if (!values.flag("force") && !(await confirmed(names, context))) {
    context.stderr.write("Aborted!\n");
    return 1;
  }
  const count = await app.transport().purge(names);
  const queues = plural(names.length, "queue");
  const text =
    count === 0
      ? `No messages purged from ${names.length} ${queues}.`
      : `Purged ${count} ${plural(count, "message")} from ${names.length} known task ${queues}.`;
  context.stdout.write(`${text}\n`);
  return 0;
}

async function confirmed(names: readonly string[], { stdin, stdout }: CommandContext): Promise<boolean> {
  stdout.write(
    `WARNING:This will remove all tasks from ${plural(names.length, "queue")}: ${names.join(", ")}.\n` +
      "         There is no undo for this operation!\n\n" +
      "(to skip this prompt use the -f option)\n" +
      "Are you sure you want to delete all tasks? [y/N]: ",
  );
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
