import type { Sent } from "./fault-lab.ts";
import type { Ledger } from "./ledger.ts";
import type { TestBroker } from "./test-broker.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** As many tasks, and as many lines of each worker, as somebody reads. */
const MOST = 30;
const ROUTINE = /: INFO\/|^\s*$/;

export interface FaultScene {
  readonly sent: readonly Sent[];
  readonly workers: readonly WorkerProcess[];
  readonly broker: TestBroker;
  readonly ledger: Ledger;
}

/** What a test that kills needs to say when it fails, because nobody can look again: each task that is not as it should be, and what the workers said. */
export async function paintFaults({ sent, workers, broker, ledger }: FaultScene): Promise<string> {
  const odd = await oddTasks(sent, ledger);
  return [
    `Left in Redis: ${JSON.stringify(await broker.leftovers())}`,
    `Tasks without a success, or that began more than once: ${odd.length} of ${sent.length}`,
    ...odd.slice(0, MOST),
    ...workers.flatMap(({ pid, lines }) => [
      `Worker ${pid}, ${lines.length} lines, of these the last that are more than routine:`,
      ...lines.filter((line) => !ROUTINE.test(line)).slice(-MOST),
    ]),
  ].join("\n");
}

async function oddTasks(sent: readonly Sent[], { begun, ended, process }: Ledger): Promise<string[]> {
  const states = await Promise.all(sent.map(({ result }) => result.state()));
  return sent.flatMap(({ n, result }, at) => {
    const runs = begun.get(n) ?? 0;
    if (states[at] === "SUCCESS" && runs === 1) return [];
    return `${n} ${result.id} ${states[at]}, began ${runs} times, ended ${ended.get(n) ?? 0}, last in ${process.get(n)}`;
  });
}
