import { useEffect, useState } from "preact/hooks";

/**
 * The time in epoch milliseconds, renewed every `everyMs` while `isTicking`; a view that shows a running duration
 * renders again then. At rest there is no timer.
 */
export function useNow(isTicking: boolean, everyMs: number = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [isTicking, everyMs]);
  return now;
}
