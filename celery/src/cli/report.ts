import { renderReport } from "../worker/report.ts";
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
      const loader = context.global.app ?? "none (no -A)";
      context.stdout.write(renderReport(app, { version: VERSION_BANNER, loader }));
      return 0;
    });
  },
};
