import type { ComponentChildren, JSX } from "preact";
import type { QueueView } from "server/protocol";
import { count } from "../state/words.ts";
import { Mark, type MarkTone } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";

/** The region named `Inside the queue`: live counts of what Redis and the workers hold. */
export function QueueRegion(): JSX.Element {
  const { store } = usePage();
  const queue = store.queue.value;
  return (
    <section class="region queue-region" aria-label="Inside the queue" id="region-queue" tabIndex={-1}>
      <h2 class="queue-title">Inside the queue</h2>
      {isEmpty(queue) ? (
        <p class="queue-empty">Empty. Messages appear here when nobody takes them fast enough.</p>
      ) : (
        <dl class="queue-cells">
          <Waiting queue={queue} />
          <Cell label="in flight" title="Taken by a worker, not acknowledged yet" value={queue.unacked} />
          {queue.scheduled > 0 ? (
            <Cell label="scheduled" title="Of these, waiting for their time" value={queue.scheduled} />
          ) : null}
          <Results queue={queue} />
          {queue.dead > 0 ? (
            <Cell
              label="dead letters"
              title="Messages that no worker could run"
              value={queue.dead}
              tone="failed"
            />
          ) : null}
        </dl>
      )}
      <Workers queue={queue} />
    </section>
  );
}

function isEmpty({ queues, unacked, scheduled, dead, results }: QueueView): boolean {
  const waiting = queues.reduce((sum, queue) => sum + queue.length, 0);
  return waiting + unacked + scheduled + dead + results.success + results.failure + results.retry === 0;
}

interface CellProps {
  readonly label: string;
  readonly title: string;
  readonly value: ComponentChildren;
  readonly tone?: MarkTone;
}

function Cell({ label, title, value, tone }: CellProps): JSX.Element {
  return (
    <div class="queue-cell" title={title} data-zero={value === 0}>
      <dt>{label}</dt>
      <dd class="numbers">
        {tone === undefined ? null : <Mark tone={tone} />}
        {value}
      </dd>
    </div>
  );
}

function Waiting({ queue }: { queue: QueueView }): JSX.Element {
  return (
    <>
      {queue.queues.map(({ name, length }) => (
        <Cell
          key={name}
          label={`waiting in ${name}`}
          title={`Length of the list ${name}`}
          value={length}
          {...(length > 0 ? { tone: "queued" as const } : {})}
        />
      ))}
    </>
  );
}

function Results({ queue }: { queue: QueueView }): JSX.Element {
  const { success, failure, retry } = queue.results;
  return (
    <div class="queue-cell" title="Results seen since the lesson was opened">
      <dt>
        <span class="queue-results-word">results</span>
      </dt>
      <dd class="numbers queue-results">
        <Count tone="ok" value={success} word="succeeded" />
        <Count tone="failed" value={failure} word="failed" />
        <Count tone="retry" value={retry} word="retried" />
      </dd>
    </div>
  );
}

function Count({ tone, value, word }: { tone: MarkTone; value: number; word: string }): JSX.Element {
  return (
    <span class="queue-count" data-zero={value === 0} title={`${value} ${word}`}>
      <Mark tone={tone} />
      {value}
      <span class="sr-only"> {word}</span>
    </span>
  );
}

function Workers({ queue }: { queue: QueueView }): JSX.Element | null {
  const { workers } = queue;
  if (workers.length === 0) return null;
  const active = workers.reduce((sum, worker) => sum + worker.active, 0);
  const isOld = workers.some((worker) => worker.oldCode);
  return (
    <p
      class="queue-workers numbers"
      title={workers.map((worker) => `${worker.hostname} (pid ${worker.pid})`).join(", ")}
    >
      <Mark tone={active > 0 ? "active" : "ok"} />
      {count(workers.length, "worker")}
      <span class="queue-workers-word">{active > 0 ? `· ${active} running` : "· waiting"}</span>
      {isOld ? <span class="badge">old code</span> : null}
    </p>
  );
}
