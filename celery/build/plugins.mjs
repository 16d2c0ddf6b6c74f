// What the bundle does with modules before it puts them together (ADR 46).
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const COMMANDS = words(
  "beat call control events graph inspect list migrate multi not-here purge report result shell status worker",
).map((name) => `cli/${name}`);
/** What a worker, a pool child or a command begins with; all of them make an app. */
const PROGRAMS = ["cli/main", "start-worker", "pool/child-loop", "transport/redis-consumer", ...COMMANDS];
const DOORS = ["index", "events/index", "observe/index"];

/**
 * Modules that are loaded with others, whether those ask for them or not. esbuild makes a chunk for each set of entries that need the same
 * modules: seventy small ones, and a worker's start is their loading. Entries that need the same are one set.
 */
const TOGETHER = [
  { load: ["index"], with: [...PROGRAMS, ...DOORS] },
  {
    load: words("app/load-app cli/options cli/version runtime/deferred runtime/machine-clock"),
    with: [...PROGRAMS, ...DOORS],
  },
  {
    load: [
      ...words("beat/index control/index events/index worker/node-name worker/report worker/worker-log"),
      ...words("cli/daemon cli/log-file cli/logging cli/terminal"),
    ],
    with: ["start-worker", ...COMMANDS],
  },
  { load: ["transport/redis-consumer"], with: ["cli/worker", "start-worker"] },
];

/** @param root the package's folder. */
export function loadTogether(root) {
  const source = join(root, "src");
  const missing = new Set(TOGETHER.flatMap((group) => group.with));
  return {
    name: "load-together",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(source)) return undefined;
        const module = path.slice(source.length + 1, -".ts".length);
        if (!missing.delete(module)) return undefined;
        const groups = TOGETHER.filter((group) => group.with.includes(module));
        const more = groups.flatMap(({ load }) => load).filter((other) => other !== module);
        // At the end: the lines before it keep their numbers, and imports come first wherever they stand.
        const lines = more.map((other) => `import ${JSON.stringify(join(source, `${other}.ts`))};`);
        return { contents: `${await readFile(path, "utf8")}\n${lines.join("\n")}\n`, loader: "ts" };
      });
      build.onEnd(() => {
        if (missing.size > 0)
          throw new Error(`build/plugins.mjs names what is gone: ${[...missing].join(", ")}`);
      });
    },
  };
}

/** The methods that `redis/ioredis.ts` promises, and those that ioredis itself calls. */
const METHODS = words(
  "ping psubscribe punsubscribe select subscribe unsubscribe auth client hello info quit readonly ssubscribe",
);

/**
 * ioredis makes two methods for each of Redis's 250 commands, on four prototypes, when it is loaded: a third of its loading, and 8 MB in
 * each of a worker's threads. We say most commands by `call`. Its client for clusters is named nowhere but in its exports.
 *
 * @param root the package's folder.
 */
export function leanRedis(root) {
  const ioredis = createRequire(join(root, "package.json")).resolve("ioredis");
  const commands = createRequire(ioredis).resolve("@ioredis/commands");
  const contents = {
    commands: `module.exports = { ...require(${JSON.stringify(commands)}), list: ${JSON.stringify(METHODS)} };`,
    cluster: "module.exports = {};",
  };
  return {
    name: "lean-redis",
    setup(build) {
      const instead = (path) => ({ path, namespace: "lean-redis" });
      build.onResolve({ filter: /^@ioredis\/commands$/ }, () => instead("commands"));
      build.onResolve({ filter: /^\.\/cluster$/ }, ({ importer }) =>
        dirname(importer) === dirname(ioredis) ? instead("cluster") : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "lean-redis" }, ({ path }) => ({
        contents: contents[path],
        resolveDir: root,
      }));
    },
  };
}

function words(text) {
  return text.split(" ");
}
