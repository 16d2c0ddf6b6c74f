import { maskUrl } from "../protocol/connection-url.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { type ClusterPicture, drawBootsteps, drawCluster } from "./graph-dot.ts";
import { parseOptions, renderHelp } from "./options.ts";
import { orUnavailable } from "./remote.ts";
import { withApp } from "./with-app.ts";

const ANSWER_SECONDS = 1;

export const command: Command = {
  name: "graph",
  summary: "Draw workers, or the steps of their start, as a graph.",
  help: renderHelp({
    usage: "celery -A MODULE graph bootsteps|workers [KEY:VALUE]...",
    about:
      "Write a graph in DOT, for Graphviz: the steps of a worker's start, or the workers around their broker.",
    examples: [
      "celery -A tasks graph bootsteps | dot -T png -o steps.png",
      "celery -A tasks graph workers | dot -T png -o workers.png",
      "celery graph workers nodes:w1,w2,w3 threads:4,4,2 broker:redis://localhost",
    ],
    options: [],
    lists: [
      {
        title: "Values of workers",
        rows: [
          ["nodes:A,B", "Draw these instead of asking who is there."],
          ["threads:N,M", "How many processes each of them has."],
          ["broker:URL backend:URL", "Instead of the app's."],
          ["wmax:N tmax:N", "Most workers (4) and processes of each (3) that are drawn; 0 is no limit."],
          ["generic", "Broker and backend by their kind, without their address."],
        ],
      },
    ],
  }),
  run: async (args, context) => {
    const [what, ...words] = parseOptions([], args, { maxPositionals: Number.POSITIVE_INFINITY }).positionals;
    switch (what) {
      case "bootsteps":
        return say(context, drawBootsteps(words));
      case "workers":
        return orUnavailable(context, async () =>
          say(context, drawCluster(await lookAround(words, context))),
        );
      case undefined:
        throw new UsageError("Missing command: celery graph bootsteps, or celery graph workers");
      default:
        throw new UsageError(`No such command '${what}'. There are: bootsteps, workers`);
    }
  },
};

function lookAround(words: readonly string[], context: CommandContext): Promise<ClusterPicture> {
  const given = new Map(words.map(splitWord));
  return withApp(context, async (app) => {
    const workers = given.has("nodes") ? namedWorkers(given) : await presentWorkers(app.control);
    const backend = given.get("backend") ?? app.resultBackendUrl;
    return {
      workers,
      broker: maskUrl(given.get("broker") ?? app.brokerUrl),
      backend: backend === undefined ? undefined : maskUrl(backend),
      isGeneric: given.has("generic"),
      workersMax: limit(given.get("wmax"), 4),
      processesMax: limit(given.get("tmax"), 3),
    };
  });
}

function splitWord(word: string): readonly [string, string] {
  const colon = word.indexOf(":");
  return colon < 0 ? [word, ""] : [word.slice(0, colon), word.slice(colon + 1)];
}

function namedWorkers(given: ReadonlyMap<string, string>): ClusterPicture["workers"] {
  const sizes = (given.get("threads") ?? "").split(",").map(Number);
  return (given.get("nodes") ?? "").split(",").map((name, i) => ({ name, processes: sizes[i] || 0 }));
}

async function presentWorkers(control: {
  inspect(options: { timeout: number }): { stats(): Promise<object> };
}): Promise<ClusterPicture["workers"]> {
  const stats = await control.inspect({ timeout: ANSWER_SECONDS }).stats();
  return Object.entries(stats).map(([name, { pool }]: [string, { pool?: Record<string, unknown> }]) => {
    const size = pool?.["max-concurrency"];
    return { name, processes: typeof size === "number" ? size : 0 };
  });
}

function limit(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new UsageError(`'${text}' is no number of things to draw.`);
  return value === 0 ? Number.POSITIVE_INFINITY : value;
}

function say({ stdout }: CommandContext, text: string): number {
  stdout.write(text);
  return 0;
}
