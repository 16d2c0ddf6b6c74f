import { arch, release, type } from "node:os";
import { makeConf } from "../app/conf.ts";
import type { CeleryApp } from "../app/types.ts";
import { maskPassword } from "./banner.ts";
import type { Command } from "./command.ts";
import { parseOptions, renderHelp } from "./options.ts";
import { VERSION_BANNER } from "./version.ts";
import { withApp } from "./with-app.ts";

export const command: Command = {
  name: "report",
  summary: "Shows information useful to include in bug-reports.",
  help: renderHelp({
    usage: "celery [-A MODULE] report",
    about:
      "Shows information useful to include in bug-reports: versions, platform, and the settings that are not the default. Passwords are left out.",
    options: [],
  }),
  run: (args, context) => {
    parseOptions([], args);
    return withApp(context, async (app) => {
      context.stdout.write(renderReport(app, context.global.app));
      return 0;
    });
  },
};

/** @see celery 5.7.0 app/utils.py, `bugreport` */
export function renderReport(app: CeleryApp, spec: string | undefined): string {
  const results = app.resultBackendUrl === undefined ? "disabled" : maskPassword(app.resultBackendUrl);
  return `
software -> celery:${VERSION_BANNER} node:${process.versions.node} v8:${process.versions.v8}
platform -> system:${type()} arch:${arch()}
            kernel version:${release()} imp:TypeScript
loader   -> ${spec ?? "none (no -A)"}
settings -> transport:redis results:${results}
            broker:${maskPassword(app.brokerUrl)}
tasks    -> ${[...app.tasks.keys()].sort().join(", ") || "none"}

${changedSettings(app)}
`;
}

/** Celery's `HIDDEN_SETTINGS`: what may hold a secret is named and not shown. */
const SECRET = /API|TOKEN|KEY|SECRET|PASS|SIGNATURE|DATABASE/i;

function changedSettings(app: CeleryApp): string {
  const defaults = makeConf() as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(app.conf)
    .filter(([key, value]) => show(key, value) !== show(key, defaults[key]))
    .map(([key, value]) => `${key}: ${show(key, value)}`)
    .join("\n");
}

function show(key: string, value: unknown): string {
  if (SECRET.test(key)) return "********";
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "function" ? "<function>" : inner,
  );
  return typeof value === "string" ? `"${maskPassword(value)}"` : text;
}
