import type { JSX } from "preact";
import { usePage } from "../ui/page-context.ts";

/** A worker runs what it loaded; saving a file does not change that, in Celery neither. */
export function OldCode(): JSX.Element | null {
  const { store, actions } = usePage();
  if (!store.queue.value.workers.some((worker) => worker.oldCode)) return null;
  return (
    <span class="old-code" role="status">
      <span
        class="badge"
        title="A task file changed after this worker started. It still runs what it loaded."
      >
        old code
      </span>
      <button type="button" class="button button-small" onClick={() => void actions.restartWorker()}>
        Restart
      </button>
    </span>
  );
}
