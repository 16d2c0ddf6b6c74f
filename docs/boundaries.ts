/**
 * Who may import whom. This table is law: `boundaries.test.ts` fails on an import that it does not allow and on
 * a folder that it does not name. A new arrow needs an ADR and a row here.
 *
 * Keys are folders (or single files) of the repository. `own` lists what they may import of ours; a folder
 * may always import itself. `packages` lists npm packages; `node:` modules are allowed unless `noNode` is set.
 * `typesOnly` are folders of which only `import type` is allowed.
 */
export interface Boundary {
  readonly own: readonly string[];
  readonly packages: readonly string[];
  readonly typesOnly?: readonly string[];
  /** The folder must run without Node: pure logic, or the browser. */
  readonly noNode?: true;
}

const engine = (...folders: readonly string[]): readonly string[] =>
  folders.map((name) => `celery/src/${name}`);
const server = (...folders: readonly string[]): readonly string[] =>
  folders.map((name) => `server/src/${name}`);
const client = (...folders: readonly string[]): readonly string[] =>
  folders.map((name) => `client/src/${name}`);

/** A view knows the state and what all views share, its one library, and no other view. */
function view(...uses: readonly string[]): Boundary {
  const folders = uses.filter((name) => name === "ui");
  return {
    own: client("state", ...folders),
    packages: ["preact", "@preact/signals", ...uses.filter((name) => name !== "ui")],
    typesOnly: server("protocol"),
    noNode: true,
  };
}

export const boundaries: Readonly<Record<string, Boundary>> = {
  // The engine. Reads top to bottom: a row imports rows above it.
  "celery/src/runtime": { own: [], packages: [] },
  "celery/src/protocol": { own: [], packages: ["zod"] },
  "celery/src/redis": { own: engine("runtime", "protocol"), packages: ["ioredis"] },
  "celery/src/backend": { own: engine("redis", "protocol", "runtime"), packages: [] },
  "celery/src/transport": {
    own: engine("redis", "protocol", "runtime"),
    packages: [],
    typesOnly: engine("backend"),
  },
  "celery/src/events": { own: engine("redis", "protocol", "runtime"), packages: ["zod"] },
  "celery/src/control": { own: engine("redis", "protocol", "runtime"), packages: ["zod"] },
  "celery/src/observe": { own: engine("redis", "events", "protocol", "runtime"), packages: [] },
  // One run of a task. Below the app, which runs tasks itself when it is to be eager (ADR 21).
  "celery/src/execution": { own: engine("protocol", "runtime"), packages: [], typesOnly: engine("app") },
  "celery/src/app": {
    own: engine("execution", "transport", "backend", "events", "control", "protocol", "runtime"),
    packages: ["zod", "tsx"],
  },
  "celery/src/pool": { own: engine("execution", "app", "protocol", "runtime"), packages: ["tsx"] },
  "celery/src/beat": {
    own: engine("app", "events", "control", "redis", "protocol", "runtime"),
    packages: ["zod"],
  },
  "celery/src/worker": {
    own: engine(
      "pool",
      "execution",
      "app",
      "beat",
      "transport",
      "backend",
      "events",
      "control",
      "protocol",
      "runtime",
    ),
    packages: ["zod"],
  },
  "celery/src/cli": {
    own: engine(
      "worker",
      "pool",
      "execution",
      "beat",
      "app",
      "transport",
      "backend",
      "events",
      "control",
      "observe",
      "protocol",
      "runtime",
    ),
    packages: ["zod"],
  },
  "celery/src/start-worker.ts": {
    own: [
      ...engine("worker", "pool", "app", "events", "protocol", "runtime"),
      // The version alone.
      "celery/src/cli/version.ts",
    ],
    packages: [],
  },
  "celery/src/index.ts": { own: engine("app", "backend", "beat", "protocol", "execution"), packages: [] },

  // The server.
  "server/src/protocol": { own: [], packages: ["zod"], noNode: true },
  "server/src/redis": {
    own: server("processes", "protocol"),
    packages: ["ioredis", "js-redis-server", "pino"],
  },
  "server/src/processes": { own: [], packages: ["pino"] },
  "server/src/terminal": {
    own: server("protocol"),
    packages: ["@lydell/node-pty", "@xterm/headless", "@xterm/addon-unicode11", "pino"],
  },
  "server/src/lessons": {
    own: server("protocol", "checks"),
    packages: ["zod", "markdown-it", "yaml", "diff"],
  },
  "server/src/workspace": { own: server("protocol", "lessons"), packages: ["diff", "pino", "zod"] },
  "server/src/checks": { own: server("protocol"), packages: [] },
  "server/src/steps": {
    own: server("protocol", "terminal"),
    packages: ["pino"],
    typesOnly: server("lessons"),
  },
  "server/src/live": {
    own: server("protocol", "checks"),
    packages: ["celery", "pino"],
    typesOnly: server("terminal", "workspace", "steps", "lessons"),
  },
  "server/src/playground": {
    own: server("protocol", "lessons", "workspace", "checks", "live", "steps", "terminal", "redis"),
    packages: ["pino"],
  },
  "server/src/ws": { own: server("protocol", "terminal", "playground"), packages: ["ws", "zod", "pino"] },
  "server/src/http": { own: server("protocol", "lessons", "playground"), packages: ["express", "pino"] },
  "server/src/config.ts": { own: [], packages: ["zod"] },
  "server/src/main.ts": { own: ["server/src"], packages: ["pino", "open"] },

  // The page. Types are all it takes from the server.
  "client/src/state": {
    own: [],
    packages: ["@preact/signals", "@preact/signals-core"],
    typesOnly: server("protocol"),
    noNode: true,
  },
  "client/src/net": { own: client("state"), packages: [], typesOnly: server("protocol"), noNode: true },
  "client/src/ui": view(),
  "client/src/lesson": view("ui"),
  "client/src/editor": view("ui", "@codemirror/*", "@lezer/highlight"),
  "client/src/terminal": view("ui", "@xterm/*"),
  "client/src/queue": view("ui"),
  "client/src/panes": view("ui"),
  "client/src/page": { ...view("ui"), own: ["client/src"] },
  "client/src/main.tsx": { ...view("ui"), own: ["client/src"] },

  // What stands on top.
  bench: { own: [], packages: [] },
  lessons: { own: [], packages: ["celery", "express"] },
  examples: { own: [], packages: ["celery", "express"] },
  e2e: {
    own: [],
    packages: ["ws", "@playwright/test", "@axe-core/playwright", "vitest", "yaml"],
    typesOnly: ["server/src/protocol"],
  },
};
