import { EXCHANGE_TYPES } from "../app/queue-input.ts";
import type { ExchangeType } from "../app/queues.ts";
import type { ApplyOptions, CeleryApp } from "../app/types.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues, requiredArgument } from "./option-values.ts";
import { nearest, type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const CALLING = "Calling Options";
const OPTIONS: readonly OptionSpec[] = [
  { name: "args", short: "a", value: "JSON", group: CALLING, help: "Positional arguments, a JSON array." },
  { name: "kwargs", short: "k", value: "JSON", group: CALLING, help: "Keyword arguments, a JSON object." },
  { name: "eta", value: "TIME", group: CALLING, help: "Not before this moment, e.g. 2026-11-21T10:00:00Z." },
  { name: "countdown", value: "SECONDS", group: CALLING, help: "Not before this many seconds from now." },
  { name: "expires", value: "SECONDS|TIME", group: CALLING, help: "Discard when later than this." },
  { name: "serializer", value: "NAME", group: CALLING, help: "json, the only one." },
  { name: "priority", value: "N", group: "Routing Options", help: "0 to 9, 0 first." },
  {
    name: "queue",
    value: "NAME",
    group: "Routing Options",
    help: "Queue to send to instead of the task's own.",
  },
  {
    name: "exchange",
    value: "NAME",
    group: "Routing Options",
    help: "Exchange to send through; needs a key.",
  },
  {
    name: "routing-key",
    value: "KEY",
    group: "Routing Options",
    help: "Key by which the exchange finds the queues.",
  },
  {
    name: "exchange-type",
    value: "TYPE",
    group: "Routing Options",
    help: "direct, topic or fanout, of an exchange that task_queues does not have.",
  },
];

export const command: Command = {
  name: "call",
  summary: "Call a task by name.",
  help: renderHelp({
    usage: "celery [-A MODULE] call [OPTIONS] NAME",
    about: "Call a task by name. Prints the id of the message.",
    examples: [
      "celery -A tasks call tasks.add -a '[2, 3]'",
      "celery -A tasks call tasks.add -a '[2, 3]' --countdown 10",
    ],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => {
    const parsed = parseOptions(OPTIONS, args, { maxPositionals: 1 });
    return callTask(requiredArgument(parsed, "NAME"), new OptionValues(OPTIONS, parsed), context);
  },
};

async function callTask(name: string, values: OptionValues, context: CommandContext): Promise<number> {
  const serializer = values.text("serializer");
  if (serializer !== undefined && serializer !== "json") {
    throw values.fault(
      "serializer",
      `'${serializer}' is not supported: only json is, because reading pickle or yaml can run code.`,
    );
  }
  const args = values.jsonArray("args");
  const options = readOptions(values);
  return withApp(context, async (app) => {
    if (context.global.app !== undefined) warnIfUnknown(name, app, context);
    const result = await app.sendTask(name, args, options);
    context.stdout.write(`${result.id}\n`);
    return 0;
  });
}

function readOptions(values: OptionValues): ApplyOptions {
  const countdown = values.number("countdown", { min: 0 });
  const priority = values.number("priority", { min: 0 });
  const eta = values.moment("eta");
  const expires = values.secondsOrMoment("expires");
  const queue = values.text("queue");
  const exchange = values.text("exchange");
  const routingKey = values.text("routing-key");
  const exchangeType = readExchangeType(values);
  return {
    kwargs: values.jsonObject("kwargs"),
    ...(countdown !== undefined && { countdown }),
    ...(priority !== undefined && { priority }),
    ...(eta !== undefined && { eta }),
    ...(expires !== undefined && { expires }),
    ...(queue !== undefined && { queue }),
    ...(exchange !== undefined && { exchange }),
    ...(routingKey !== undefined && { routingKey }),
    ...(exchangeType !== undefined && { exchangeType }),
  };
}

function readExchangeType(values: OptionValues): ExchangeType | undefined {
  const text = values.text("exchange-type");
  if (text === undefined) return undefined;
  const type = EXCHANGE_TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  throw values.fault("exchange-type", `'${text}' is none of ${EXCHANGE_TYPES.join(", ")}.`);
}

/** Sent anyway, as Celery does: the task may live in another program. */
function warnIfUnknown(name: string, app: CeleryApp, { stderr, global }: CommandContext): void {
  if (app.tasks.has(name)) return;
  const known = [...app.tasks.keys()];
  const near = [...known.filter((task) => task.endsWith(`.${name}`)), ...nearest(name, known)][0];
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  stderr.write(`Warning: ${global.app} has no task named "${name}".${hint} It is sent all the same.\n`);
}
