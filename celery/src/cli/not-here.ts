import type { Command } from "./command.ts";
import { renderHelp } from "./options.ts";

/** A command that Celery has and we do not; saying why is better than "No such command". */
function notHere(name: string, summary: string, why: string): Command {
  return {
    name,
    summary: `Not here: ${summary}`,
    help: renderHelp({ usage: `celery ${name}`, about: `Not here. ${why}`, options: [] }),
    run: async (_args, { stderr }) => {
      stderr.write(`Error: celery ${name} is not here. ${why}\n`);
      return 1;
    },
  };
}

export const upgrade: Command = notHere(
  "upgrade",
  "rewrites settings of Python modules.",
  "It renames old settings in Python files. This Celery only ever knew the new names and tells you of every other one.",
);

export const amqp: Command = notHere(
  "amqp",
  "speaks AMQP to a broker.",
  "It speaks AMQP, and the broker is Redis. To look at queues use celery list bindings, celery inspect active_queues and redis-cli LLEN; " +
    "to empty them celery purge; to send celery call.",
);

export const logtool: Command = notHere(
  "logtool",
  "counts lines of a worker's log.",
  "Its counts come from a worker's log, line by line. Ask the workers instead: celery inspect stats counts tasks by name, " +
    "celery events shows how each of them ended.",
);
