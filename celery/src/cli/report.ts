import { arch, release, type } from "node:os";
import { makeConf } from "../app/conf.ts";
import type { CeleryApp } from "../app/types.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { hideSecrets } from "../protocol/hidden-settings.ts";
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
  const results = app.resultBackendUrl === undefined ? "disabled" : maskUrl(app.resultBackendUrl);
  return `
software -> celery:${VERSION_BANNER} node:${process.versions.node} v8:${process.versions.v8}
platform -> system:${type()} arch:${arch()}
            kernel version:${release()} imp:TypeScript
loader   -> ${spec ?? "none (no -A)"}
settings -> transport:redis results:${results}
            broker:${maskUrl(app.brokerUrl)}
tasks    -> ${[...app.tasks.keys()].sort().join(", ") || "none"}

${changedSettings(app)}
`;
}

function changedSettings(app: CeleryApp): string {
  const [settings, defaults] = [plain(app.conf), plain(makeConf())];
  return Object.entries(hideSecrets(settings))
    .filter(([key]) => JSON.stringify(settings[key]) !== JSON.stringify(defaults[key]))
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join("\n");
}

function plain(settings: object): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(settings, (_key, inner: unknown) =>
    typeof inner === "function" ? "<function>" : inner,
  );
  return JSON.parse(text) as Record<string, unknown>;
}
