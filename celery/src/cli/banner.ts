import { arch, release, type } from "node:os";
import type { Binding } from "../app/queues.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { localTime } from "./logging.ts";

/** @see celery 5.7.0 apps/worker.py, `ARTLINES` */
const ART: readonly string[] = [
  " --------------",
  "--- ***** -----",
  "-- ******* ----",
  "- *** --- * ---",
  "- ** ----------",
  "- ** ----------",
  "- ** ----------",
  "- ** ----------",
  "- *** --- * ---",
  "-- ******* ----",
  "--- ***** -----",
  " --------------",
];

export interface BannerFacts {
  readonly nodeName: string;
  readonly version: string;
  readonly nowMs: number;
  readonly appName: string;
  readonly brokerUrl: string;
  readonly backendUrl: string | undefined;
  /** `4`, or `{min=2, max=10}`. */
  readonly concurrency: number | string;
  readonly pool: string;
  readonly taskEvents: boolean;
  readonly queues: readonly Binding[];
}

/** The worker's first words, as Celery's, without the list of tasks. */
export function renderBanner(facts: BannerFacts): string {
  const events = facts.taskEvents ? "ON" : "OFF (enable -E to monitor tasks in this worker)";
  const lines = [
    `${facts.nodeName} v${facts.version}`,
    "",
    `${platform()} ${localTime(facts.nowMs)}`,
    "",
    "[config]",
    `.> app:         ${facts.appName}`,
    `.> transport:   ${maskUrl(facts.brokerUrl)}`,
    `.> results:     ${facts.backendUrl === undefined ? "disabled://" : maskUrl(facts.backendUrl)}`,
    `.> concurrency: ${facts.concurrency} (${facts.pool})`,
    `.> task events: ${events}`,
    "",
    "[queues]",
    ...facts.queues
      .toSorted((a, b) => (a.queue < b.queue ? -1 : 1))
      .map((q) => `.> ${q.queue.padEnd(16)} exchange=${q.exchange}(${q.type}) key=${q.routingKey}`),
    "",
  ];
  return ` \n${lines.map((line, i) => `${ART[i] ?? " ".repeat(15)} ${line}`).join("\n")}\n`;
}

/** The `[tasks]` list under the banner, shown from INFO on. */
export function renderTaskList(names: readonly string[]): string {
  return `\n[tasks]\n${[...names]
    .sort()
    .map((name) => `  . ${name}`)
    .join("\n")}\n`;
}

function platform(): string {
  const machine = arch() === "x64" ? "x86_64" : arch();
  return `${type()}-${release()}-${machine}-with-node${process.versions.node}`;
}
