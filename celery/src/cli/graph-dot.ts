import { UsageError } from "./command.ts";

export interface ClusterPicture {
  readonly workers: readonly { readonly name: string; readonly processes: number }[];
  readonly broker: string;
  readonly backend: string | undefined;
  /** Broker and backend without their address. */
  readonly isGeneric: boolean;
  /** More are drawn as one that says how many. */
  readonly workersMax: number;
  readonly processesMax: number;
}

type Attributes = Readonly<Record<string, string | number>>;

const NODE: Attributes = { style: "filled", fillcolor: "palegreen3", color: "palegreen4" };
const PROCESS: Attributes = {
  style: "filled",
  fillcolor: "lightcyan4",
  fontcolor: "yellow",
  shape: "oval",
  fontsize: 10,
  width: 0.3,
  color: "black",
};
const BROKER: Attributes = {
  style: "filled",
  shape: "circle",
  fillcolor: "cadetblue3",
  color: "cadetblue4",
  height: 1,
};
const BACKEND: Attributes = {
  style: "filled",
  shape: "folder",
  width: 2,
  height: 1,
  color: "black",
  fillcolor: "peachpuff3",
};
const ARROW: Attributes = { arrowcolor: "black", arrowsize: 0.7, color: "darkseagreen4" };

/** Workers, what they talk to, and their processes. @see celery 5.7.0 bin/graph.py, `workers` */
export function drawCluster(picture: ClusterPicture): string {
  const broker = label("Broker", picture.broker, picture.isGeneric);
  const backend =
    picture.backend === undefined ? undefined : label("Backend", picture.backend, picture.isGeneric);
  const lines = [
    node(broker, BROKER),
    ...(backend === undefined || backend === broker ? [] : [node(backend, BACKEND)]),
    ...abbreviate(picture.workers, picture.workersMax, (hidden) => ({
      name: `… ${hidden} more`,
      processes: 0,
    })).flatMap((worker) =>
      drawWorker(worker, [...new Set([broker, ...(backend === undefined ? [] : [backend])])], picture),
    ),
  ];
  return digraph(lines);
}

function drawWorker(
  worker: ClusterPicture["workers"][number],
  partners: readonly string[],
  { processesMax }: ClusterPicture,
): readonly string[] {
  const all = Array.from({ length: worker.processes }, (_, i) => `P${i + 1}`);
  const processes = abbreviate(all, processesMax, (hidden) => `P{…${hidden}…}`);
  return [
    node(worker.name, NODE),
    ...partners.map((partner) => edge(worker.name, partner, ARROW)),
    ...processes.flatMap((name) => {
      const id = `${worker.name} ${name}`;
      return [
        node(id, { ...PROCESS, label: name }),
        edge(id, worker.name, { ...ARROW, arrowhead: "none", arrowtail: "tee" }),
      ];
    }),
  ];
}

/** The first ones and the last one, with what stands for those between. */
function abbreviate<T>(items: readonly T[], max: number, stand: (hidden: number) => T): readonly T[] {
  if (items.length <= max || items.length < 3) return items;
  const first = items.slice(0, Math.max(1, max - 2));
  return [...first, stand(items.length - first.length - 1), items.at(-1) as T];
}

/** What each step of a start needs to be done before it. */
const BOOTSTEPS = {
  worker: {
    Application: [],
    Pool: ["Application"],
    Beat: ["Application"],
    StateDB: ["Application"],
    Autoscaler: ["Pool"],
    Consumer: ["Pool", "Beat", "StateDB", "Autoscaler"],
  },
  consumer: {
    Connection: [],
    Events: ["Connection"],
    Mingle: ["Events"],
    Tasks: ["Mingle"],
    Control: ["Tasks"],
    Heart: ["Events"],
    Scheduled: ["Connection"],
    Reclaim: ["Connection"],
    "Event loop": ["Control", "Heart", "Tasks", "Scheduled", "Reclaim"],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** The steps of a worker's start. `parts`: `worker`, `consumer`, or both. */
export function drawBootsteps(parts: readonly string[]): string {
  const wanted = parts.length === 0 ? ["worker", "consumer"] : parts.map((part) => part.toLowerCase());
  const unknown = wanted.find((part) => part !== "worker" && part !== "consumer");
  if (unknown !== undefined) throw new UsageError(`'${unknown}' is neither worker nor consumer.`);
  const sets = [
    ...(wanted.includes("worker") ? [BOOTSTEPS.worker] : []),
    ...(wanted.includes("consumer") ? [BOOTSTEPS.consumer] : []),
  ];
  const steps = sets.flatMap((set) => Object.entries<readonly string[]>(set));
  // The consumer's first step is where the worker's last one leads.
  const bridge = sets.length === 2 ? [edge("Connection", "Consumer", ARROW)] : [];
  return digraph([
    ...steps.map(([name]) => node(name, NODE)),
    ...steps.flatMap(([name, needs]) => needs.map((need) => edge(name, need, ARROW))),
    ...bridge,
  ]);
}

function label(kind: string, url: string, isGeneric: boolean): string {
  return isGeneric ? `${kind} (${url.split("://")[0]}://)` : url;
}

function digraph(lines: readonly string[]): string {
  return `digraph dependencies {\n${lines.map((line) => `    ${line}\n`).join("")}}\n`;
}

function node(id: string, attributes: Attributes): string {
  return `${quote(id)} [${format({ label: id, ...attributes })}]`;
}

function edge(from: string, to: string, attributes: Attributes): string {
  return `${quote(from)} -> ${quote(to)} [${format(attributes)}]`;
}

function format(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${quote(String(value))}`)
    .join(", ");
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
