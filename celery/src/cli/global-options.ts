import { type GlobalOptions, UsageError } from "./command.ts";
import type { OptionSpec, ParsedOptions } from "./options.ts";

/** What stands before the sub-command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "app",
    short: "A",
    value: "MODULE",
    help: "The module that holds the app, e.g. tasks for ./tasks.ts. Or CELERY_APP, or APP.",
  },
  {
    name: "broker",
    short: "b",
    value: "URL",
    help: "Broker to use instead of the app's. Or CELERY_BROKER_URL.",
  },
  {
    name: "result-backend",
    value: "URL",
    help: "Result backend to use instead of the app's. Or CELERY_RESULT_BACKEND.",
  },
  { name: "workdir", value: "PATH", help: "Change to this directory first." },
  { name: "no-color", short: "C", help: "No colours, also on a terminal. Or NO_COLOR." },
  { name: "quiet", short: "q", help: "No banner, and less of what is not asked for." },
  { name: "skip-checks", help: "Accepted: there are no checks of another framework to skip." },
  { name: "loader", value: "CLASS", help: "Refused: loaders are Python classes. Use -A." },
  { name: "config", value: "MODULE", help: "Refused: settings stand in the app. Use -A." },
  { name: "version", help: "Show the version and exit." },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError for what only a Python Celery can do, on the command line or in the environment. */
export function readGlobalOptions({ values }: ParsedOptions, env: Environment): GlobalOptions {
  const text = (name: string): string | undefined =>
    typeof values[name] === "string" ? values[name] : undefined;
  if (text("loader") !== undefined || env["CELERY_LOADER"]) {
    throw new UsageError(
      "'--loader' names a Python class, which cannot run here. Name the app's module with -A instead.",
    );
  }
  if (text("config") !== undefined || env["CELERY_CONFIG_MODULE"]) {
    throw new UsageError(
      "'--config' names a Python module of settings. Put the settings into the app's module, app.conf.update({ … }), and name that with -A.",
    );
  }
  return {
    app: text("app") ?? firstOf(env, "CELERY_APP", "APP"),
    broker: text("broker") ?? firstOf(env, "CELERY_BROKER_URL", "CELERY_BROKER", "BROKER_URL"),
    resultBackend: text("result-backend") ?? firstOf(env, "CELERY_RESULT_BACKEND", "RESULT_BACKEND"),
    color: !values["no-color"] && !env["NO_COLOR"],
    quiet: values["quiet"] === true || isOn(env["CELERY_QUIET"]),
  };
}

function firstOf(env: Environment, ...names: readonly string[]): string | undefined {
  // An empty variable is as good as none.
  return names.map((name) => env[name]).find(Boolean);
}

/**
 * What the environment says of a sub-command's options, as words of its command line: `CELERY_WORKER_CONCURRENCY=4` is `--concurrency 4`.
 * They stand before the real words, which therefore win.
 *
 * @see celery 5.7.0 bin/celery.py, `auto_envvar_prefix`
 */
export function wordsFromEnvironment(
  command: string,
  specs: readonly OptionSpec[],
  env: Environment,
): readonly string[] {
  return specs.flatMap((spec) => {
    const value = env[`CELERY_${command}_${spec.name}`.toUpperCase().replaceAll("-", "_")];
    if (value === undefined || value === "") return [];
    if (spec.value !== undefined) return [`--${spec.name}=${value}`];
    return isOn(value) ? [`--${spec.name}`] : [];
  });
}

/** As click reads a flag. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|true|t|yes|y|on)$/i.test(value);
}
