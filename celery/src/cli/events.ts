import { openEventReceiver } from "../events/index.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { dumpEvents } from "./events-dump.ts";
import { runMonitor } from "./monitor/run.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { withApp } from "./with-app.ts";

const DUMPER = "Dumper";
const SNAPSHOT = "Snapshot (not here)";
const OPTIONS: readonly OptionSpec[] = [
  { name: "dump", short: "d", group: DUMPER, help: "Write every event as a line, as it comes." },
  {
    name: "camera",
    short: "c",
    value: "CLASS",
    group: SNAPSHOT,
    help: "Refused: cameras are Python classes.",
  },
  {
    name: "frequency",
    short: "F",
    aliases: ["freq"],
    value: "SECONDS",
    group: SNAPSHOT,
    help: "For --camera.",
  },
  { name: "maxrate", short: "r", value: "RATE", group: SNAPSHOT, help: "For --camera." },
  { name: "detach", group: SNAPSHOT, help: "For --camera." },
  { name: "loglevel", short: "l", value: "LEVEL", group: SNAPSHOT, help: "For --camera." },
  { name: "logfile", short: "f", value: "FILE", group: SNAPSHOT, help: "For --camera." },
  ...["pidfile", "uid", "gid", "umask", "executable"].map((name) => ({
    name,
    value: "VALUE",
    group: SNAPSHOT,
    help: "For --camera.",
  })),
];

export const command: Command = {
  name: "events",
  summary: "Event-stream utilities.",
  help: renderHelp({
    usage: "celery [-A MODULE] events [OPTIONS]",
    about:
      "Watch workers and tasks live: without options on a screen of its own, with --dump as lines. " +
      "Workers tell of tasks only with -E, worker_send_task_events, or after celery control enable_events.",
    examples: [
      "celery -A tasks events",
      "celery -A tasks events --dump",
      "celery -b redis://localhost:6379/0 events",
    ],
    options: OPTIONS,
  }),
  options: OPTIONS,
  run: (args, context) => watchEvents(new OptionValues(OPTIONS, parseOptions(OPTIONS, args)), context),
};

function watchEvents(values: OptionValues, context: CommandContext): Promise<number> {
  refuseCamera(values);
  const isDump = values.flag("dump");
  if (!isDump && !(context.stdin.isTTY && context.stdout.isTTY)) {
    throw new UsageError("The live view needs a terminal. In a pipe or a file use: celery events --dump");
  }
  return withApp(context, async (app) => {
    await using receiver = openEventReceiver(app.brokerUrl);
    if (isDump) return await dumpEvents(receiver, app, context);
    return await runMonitor(receiver, { app, broker: maskUrl(app.brokerUrl), context });
  });
}

/** @see celery 5.7.0 bin/events.py: a camera is a Python class that takes snapshots */
function refuseCamera(values: OptionValues): void {
  const camera = values.text("camera");
  if (camera !== undefined) {
    throw new UsageError(
      `'--camera ${camera}' names a Python class, which cannot run here. Take snapshots with your own code instead: ` +
        "openEventReceiver and State of celery/events.",
    );
  }
  for (const { name, group } of OPTIONS)
    if (group === SNAPSHOT && (values.flag(name) || values.text(name) !== undefined))
      throw new UsageError(`'--${name}' belongs to --camera, which is not supported.`);
}
