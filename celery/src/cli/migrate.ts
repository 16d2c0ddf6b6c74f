import { knownQueues } from "../app/known-queues.ts";
import { sleep } from "../runtime/sleep.ts";
import { type MigrateOptions, migrateMessages } from "../transport/migrate.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { OptionValues, plural } from "./option-values.ts";
import { type OptionSpec, type ParsedOptions, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const GROUP = "Migration Options";
const OPTIONS: readonly OptionSpec[] = [
  { name: "limit", short: "n", value: "N", group: GROUP, help: "Carry at most this many messages." },
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    group: GROUP,
    help: "With --forever: how long to wait before looking again. Default: 1.",
  },
  {
    name: "ack-messages",
    short: "a",
    group: GROUP,
    help: "Take the messages away from the source. Without it they are copied.",
  },
  { name: "tasks", short: "T", value: "LIST", group: GROUP, help: "Only tasks of these names." },
  {
    name: "queues",
    short: "Q",
    value: "LIST",
    group: GROUP,
    help: "Queues, separated by commas; old:new gives one another name. Default: all that the app knows.",
  },
  { name: "forever", short: "F", group: GROUP, help: "Go on until interrupted; needs --ack-messages." },
];

const DEFAULT_WAIT_SECONDS = 1;

export const command: Command = {
  name: "migrate",
  summary: "Migrate tasks from one broker to another.",
  help: renderHelp({
    usage: "celery [-A MODULE] migrate [OPTIONS] SOURCE DESTINATION",
    about:
      "Migrate tasks from one broker to another: the messages that wait in the source, unchanged. What workers hold already, tasks that wait for " +
      "their time included, stays there. Stop workers and senders of the source first.",
    examples: [
      "celery -A tasks migrate -a redis://old:6379/0 redis://new:6379/0",
      "celery migrate -a -Q training:gpu redis://localhost/0 redis://localhost/1",
    ],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => migrate(parseOptions(OPTIONS, args, { maxPositionals: 2 }), context),
};

async function migrate(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const values = new OptionValues(OPTIONS, parsed);
  const [source, destination] = parsed.positionals;
  if (source === undefined) throw new UsageError("Missing argument 'SOURCE'.");
  if (destination === undefined) throw new UsageError("Missing argument 'DESTINATION'.");
  const move = values.flag("ack-messages");
  const isForever = values.flag("forever");
  if (isForever && !move)
    throw new UsageError("'--forever' without '--ack-messages' would copy the same messages over and over.");
  const options = await readOptions(values, context);
  const wait = values.number("timeout", { min: 0 }) ?? DEFAULT_WAIT_SECONDS;
  const signal = context.interrupted();
  let count = 0;
  do {
    const before = count;
    const { limit } = options;
    count += await migrateMessages(
      source,
      destination,
      {
        ...options,
        ...(limit !== undefined && { limit: limit - before }),
        onTask: ({ name, id, count: now }) =>
          void context.stdout.write(`Migrating task ${before + now}: ${name}[${id}]\n`),
      },
      signal,
    );
    if (limit !== undefined && count >= limit) break;
    if (isForever) await sleep(wait * 1000, signal);
  } while (isForever && !signal.aborted);
  context.stdout.write(`${move ? "Moved" : "Copied"} ${count} ${plural(count, "message")}.\n`);
  return 0;
}

async function readOptions(
  values: OptionValues,
  context: CommandContext,
): Promise<Omit<MigrateOptions, "onTask">> {
  const limit = values.number("limit", { min: 1 });
  const tasks = values.list("tasks");
  const listed = values.list("queues");
  const queues = listed ?? (await withApp(context, async ({ conf }) => knownQueues(conf)));
  return {
    queues: new Map(queues.map(renaming)),
    move: values.flag("ack-messages"),
    ...(limit !== undefined && { limit }),
    ...(tasks && { tasks: new Set(tasks) }),
  };
}

function renaming(text: string): readonly [from: string, to: string] {
  const [from = "", to = from] = text.split(":");
  return [from, to];
}
