import { encodeJson } from "../protocol/json.ts";
import type { Command, CommandContext } from "./command.ts";
import { OptionValues } from "./option-values.ts";
import { parseOptions, renderHelp } from "./options.ts";
import {
  orUnavailable,
  REMOTE_OPTIONS,
  readAddress,
  sayAborted,
  sayAnswer,
  sayCount,
  sayNobody,
} from "./remote.ts";
import { withApp } from "./with-app.ts";

export const command: Command = {
  name: "status",
  summary: "Show list of workers that are online.",
  help: renderHelp({
    usage: "celery [-A MODULE] status [OPTIONS]",
    about: "Show list of workers that are online. Exits with 69 if there is none.",
    examples: ["celery -A tasks status", "celery -A tasks status -t 3 -d celery@host"],
    options: REMOTE_OPTIONS,
  }),
  options: REMOTE_OPTIONS,
  run: (args, context) =>
    showStatus(new OptionValues(REMOTE_OPTIONS, parseOptions(REMOTE_OPTIONS, args)), context),
};

function showStatus(values: OptionValues, context: CommandContext): Promise<number> {
  const json = values.flag("json");
  const address = readAddress(values);
  return orUnavailable(context, () =>
    withApp(context, async ({ control }) => {
      const until = context.interrupted();
      const answers = await control.ping({
        ...address,
        until,
        callback: (node, answer) => {
          if (!json) sayAnswer({ node, answer }, context, false);
        },
      });
      const count = Object.keys(answers).length;
      if (until.aborted) return sayAborted(until, context);
      if (count === 0) return sayNobody(context);
      // Celery adds the count to the JSON, which nobody can read then.
      if (json) context.stdout.write(`${encodeJson(answers)}\n`);
      else sayCount(count, context);
      return 0;
    }),
  );
}
