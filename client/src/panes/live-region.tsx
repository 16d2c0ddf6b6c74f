import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { usePage } from "../ui/page-context.ts";

const SPACING_MS = 1_000;

/** Reads news out politely, at most once a second; what piled up meanwhile is read in one go. */
export function LiveRegion(): JSX.Element {
  const { store } = usePage();
  const [text, setText] = useState("");
  const [isResting, setResting] = useState(false);
  const waiting = store.news.value;
  useEffect(() => {
    if (isResting || waiting.length === 0) return;
    setText(waiting.join(" "));
    store.news.value = [];
    setResting(true);
  }, [isResting, waiting]);
  useEffect(() => {
    if (!isResting) return;
    const timer = setTimeout(() => setResting(false), SPACING_MS);
    return () => clearTimeout(timer);
  }, [isResting]);
  return (
    <div class="sr-only" role="status" aria-live="polite" data-live>
      {text}
    </div>
  );
}
