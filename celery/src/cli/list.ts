import { selectQueues } from "../app/queues.ts";
import { type Command, UsageError } from "./command.ts";
import { parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

export const command: Command = {
  name: "list",
  summary: "Get info from broker.",
  help: renderHelp({
    usage: "celery -A MODULE list bindings",
    about:
      "Show how the queues of the app hang on exchanges: what a worker of this configuration would declare.",
    examples: ["celery -A tasks list bindings"],
    options: [],
    lists: [{ title: "Commands", rows: [["bindings", "Inspect queue bindings."]] }],
  }),
  run: async (args, context) => {
    const what = parseOptions([], args, { maxPositionals: 1 }).positionals[0];
    if (what === undefined) throw new UsageError("Missing command: celery list bindings");
    if (what !== "bindings") throw new UsageError(`No such command '${what}'. There is: bindings`);
    return withApp(context, async ({ conf }) => {
      const bindings = selectQueues(conf).map(
        ({ queue, exchange, routingKey }) => [queue, exchange, routingKey] as const,
      );
      const rule = "-".repeat(16);
      for (const row of [
        ["Queue", "Exchange", "Routing Key"] as const,
        [rule, rule, rule] as const,
        ...bindings,
      ])
        context.stdout.write(formatRow(row));
      return 0;
    });
  },
};

/** @see celery 5.7.0 bin/list.py */
function formatRow([queue, exchange, key]: readonly [string, string, string]): string {
  return `${queue.padEnd(28)} ${exchange.padEnd(28)} ${key}\n`;
}
