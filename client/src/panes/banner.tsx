import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Connection, secondsUntil } from "../state/connection.ts";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { useNow } from "../ui/use-now.ts";

/** A drop shorter than this is not worth a banner. */
const PATIENCE_MS = 600;

/** Says that the server is away, what that means, and when the next attempt is. */
export function ConnectionBanner(): JSX.Element | null {
  const { store } = usePage();
  const connection = store.connection.value;
  const isAway = connection.phase !== "open";
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (!isAway) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isAway]);
  if (!isAway || !isLong) return null;
  return connection.phase === "refused" ? <Refused /> : <Away connection={connection} />;
}

function Away({ connection }: { connection: Connection }): JSX.Element {
  const { actions } = usePage();
  const isWaiting = connection.phase === "waiting";
  const now = useNow(isWaiting, 250);
  return (
    <div class="banner" data-level="warning">
      <Mark tone="queued" />
      <p role="status">The server is not answering. Your workers may still be running.</p>
      <p class="numbers banner-count">
        {isWaiting ? `Trying again in ${secondsUntil(connection.retryAt, now)} s.` : "Trying again…"}
      </p>
      <button type="button" class="button button-small" onClick={() => actions.retryNow()}>
        Retry now
      </button>
    </div>
  );
}

function Refused(): JSX.Element {
  const { actions } = usePage();
  return (
    <div class="banner" data-level="error">
      <Mark tone="failed" />
      <p role="alert">
        The playground was started again, and this page still has the key of the earlier start. Open the
        address that it printed in your terminal.
      </p>
      <button type="button" class="button button-small" onClick={() => actions.retryNow()}>
        Retry now
      </button>
    </div>
  );
}
