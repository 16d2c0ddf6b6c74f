import type { Command } from "./command.ts";

/**
 * Every sub-command of `celery`, in the order of its help page. Loaded on demand: `celery worker` must not pay
 * for what `celery shell` imports.
 */
export const commandLoaders: Readonly<Record<string, () => Promise<Command>>> = {
  worker: async () => (await import("./worker.ts")).command,
  beat: async () => (await import("./beat.ts")).command,
  call: async () => (await import("./call.ts")).command,
  result: async () => (await import("./result.ts")).command,
  status: async () => (await import("./status.ts")).command,
  inspect: async () => (await import("./inspect.ts")).command,
  control: async () => (await import("./control.ts")).command,
  events: async () => (await import("./events.ts")).command,
  multi: async () => (await import("./multi.ts")).command,
  list: async () => (await import("./list.ts")).command,
  graph: async () => (await import("./graph.ts")).command,
  migrate: async () => (await import("./migrate.ts")).command,
  purge: async () => (await import("./purge.ts")).command,
  report: async () => (await import("./report.ts")).command,
  shell: async () => (await import("./shell.ts")).command,
  upgrade: async () => (await import("./not-here.ts")).upgrade,
  amqp: async () => (await import("./not-here.ts")).amqp,
  logtool: async () => (await import("./not-here.ts")).logtool,
};
