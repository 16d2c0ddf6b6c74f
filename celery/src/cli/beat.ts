import { hostname } from "node:os";
import { resolve } from "node:path";
import type { CeleryApp } from "../app/types.ts";
import { humanizeSeconds, type OpenBeat, openBeat } from "../beat/index.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { systemClock } from "../runtime/clock.ts";
import { expandFileName, expandNodeName } from "../worker/node-name.ts";
import type { LogLevel, WorkerLog } from "../worker/worker-log.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { DAEMON_OPTIONS, refuseDaemonOptions, startDetached, takePidFile } from "./daemon.ts";
import { openLogFile } from "./log-file.ts";
import { LOG_LEVELS, localTime, makeCeleryLog, parseLogLevel } from "./logging.ts";
import { OptionValues } from "./option-values.ts";
import { type OptionSpec, parseOptions, renderHelp } from "./options.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { VERSION_BANNER } from "./version.ts";
import { withApp } from "./with-app.ts";

const GROUP = "Beat Options";
const OPTIONS: readonly OptionSpec[] = [
  {
    name: "schedule",
    short: "s",
    aliases: ["schedule-filename"],
    value: "FILE",
    group: GROUP,
    help: "Where beat remembers when it sent what. Default: celerybeat-schedule.",
  },
  {
    name: "scheduler",
    short: "S",
    value: "CLASS",
    group: GROUP,
    help: "Not supported: the schedule is beat_schedule, remembered in a file.",
  },
  {
    name: "max-interval",
    value: "SECONDS",
    group: GROUP,
    help: "Longest sleep between two looks at the schedule. Default: 300.",
  },
  {
    name: "enable-remote-control",
    group: GROUP,
    help: "Answer `celery inspect ping`, so that beat can be health-checked. Default: beat_enable_remote_control.",
  },
  {
    name: "no-enable-remote-control",
    group: GROUP,
    help: "Don't, whatever beat_enable_remote_control says.",
  },
  {
    name: "hostname",
    short: "n",
    value: "NAME",
    group: GROUP,
    help: "Node name to answer remote control commands on. Default: celerybeat@%h.",
  },
  {
    name: "loglevel",
    short: "l",
    value: "LEVEL",
    group: GROUP,
    help: `One of ${LOG_LEVELS.join(", ")}; case does not matter. Default: WARNING.`,
  },
  ...DAEMON_OPTIONS,
];

export const command: Command = {
  name: "beat",
  summary: "Start the beat periodic task scheduler.",
  help: renderHelp({
    usage: "celery -A MODULE beat [OPTIONS]",
    about:
      "Start the beat periodic task scheduler: it sends the tasks of beat_schedule when they are due. Any number may be started, one of them sends; " +
      "the others wait to take over.",
    examples: [
      "celery -A tasks beat -l info",
      "celery -A tasks beat -s /var/run/celery/beat-schedule",
      "celery -A tasks beat -D --pidfile=beat.pid --logfile=beat.log",
    ],
    options: OPTIONS,
  }),
  options: OPTIONS,
  outlivesReader: true,
  run: (args, context) => {
    const parsed = parseOptions(OPTIONS, args);
    refuseDaemonOptions(parsed.values);
    return startBeat(new OptionValues(OPTIONS, parsed), context);
  },
};

async function startBeat(values: OptionValues, context: CommandContext): Promise<number> {
  requireApp(context);
  refuseScheduler(values);
  const level = readLevel(values);
  const nodeName = expandNodeName(values.text("hostname"), hostname(), "celerybeat");
  const named = (option: string): string | undefined => {
    const file = values.text(option);
    return file === undefined ? undefined : resolve(context.cwd, expandFileName(file, nodeName));
  };
  const [logFile, pidFile] = [named("logfile"), named("pidfile")];
  if (values.flag("detach")) {
    startDetached(process, { detach: true, logFile, pidFile }, context);
    return 0;
  }
  const terminal = openTerminal(context);
  const warn = (text: string): void => terminal.err(`${text}\n`);
  await using file = logFile === undefined ? undefined : openLogFile(logFile, warn);
  const write = file ? (text: string): void => file.write(text) : terminal.err;
  using _pid = pidFile === undefined ? undefined : takePidFile(pidFile, process.pid, warn);
  const log = makeCeleryLog({ level, color: () => terminal.color && !file, clock: systemClock, write });
  return await tickUntilInterrupted({ values, context, terminal, log, level, nodeName, logFile });
}

interface Start {
  readonly values: OptionValues;
  readonly context: CommandContext;
  readonly terminal: Terminal;
  readonly log: WorkerLog;
  readonly level: LogLevel;
  readonly nodeName: string;
  readonly logFile: string | undefined;
}

function tickUntilInterrupted(start: Start): Promise<number> {
  const { values, context, terminal, log, nodeName } = start;
  const options = {
    cwd: context.cwd,
    scheduleFile: values.text("schedule"),
    maxIntervalSeconds: values.number("max-interval", { min: 0 }),
    remoteControl: remoteControl(values),
    nodeName,
    log,
  };
  return withApp(context, async (app) => {
    const stop = context.interrupted();
    await using beat = openBeat(app, options);
    if (!context.global.quiet) terminal.out(banner(app, beat, start));
    if (Object.keys(app.conf.beat_schedule).length === 0) {
      log.warn({}, "beat: The schedule is empty, so there is nothing to send. Fill app.conf.beat_schedule.");
    }
    await beat.run(stop);
    return 0;
  });
}

function requireApp({ global }: CommandContext): void {
  if (global.app !== undefined) return;
  throw new UsageError(
    "Missing option '-A': which module holds the schedule? For ./tasks.ts it is\n    celery -A tasks beat --loglevel=info",
  );
}

function refuseScheduler(values: OptionValues): void {
  const scheduler = values.text("scheduler");
  if (scheduler === undefined || /(^|[.:])PersistentScheduler$/.test(scheduler)) return;
  throw new UsageError(
    `'-S' / '--scheduler': ${scheduler} is not here. The schedule is beat_schedule, remembered in a file; for another scheduler, ` +
      "such as django-celery-beat's, run Python's celery beat: these workers run what it sends.",
  );
}

function remoteControl(values: OptionValues): boolean | undefined {
  const [on, off] = [values.flag("enable-remote-control"), values.flag("no-enable-remote-control")];
  return on || off ? !off : undefined;
}

function readLevel(values: OptionValues): LogLevel {
  const text = values.text("loglevel") ?? "WARNING";
  const level = parseLogLevel(text);
  if (level === undefined)
    throw values.fault("loglevel", `'${text}' is not one of ${LOG_LEVELS.join(", ")}.`);
  return level;
}

/** @see celery 5.7.0 apps/beat.py, `STARTUP_INFO_FMT` */
function banner(app: CeleryApp, beat: OpenBeat, { context, terminal, level, logFile }: Start): string {
  const seconds = beat.maxIntervalSeconds;
  return `${terminal.cyan(`celery beat v${VERSION_BANNER} is starting.`)}
${terminal.cyan("__    -    ... __   -        _")}
LocalTime -> ${localTime(systemClock.nowMs())}
Configuration ->
    . broker -> ${maskUrl(app.brokerUrl)}
    . loader -> ${context.global.app}
    . scheduler -> PersistentScheduler
    . db -> ${beat.scheduleFile}
    . logfile -> ${logFile ?? "[stderr]"}@%${level}
    . maxinterval -> ${humanizeSeconds(seconds)} (${seconds}s)
${beat.nodeName === undefined ? "" : `    . remote control -> ${beat.nodeName}\n`}`;
}
