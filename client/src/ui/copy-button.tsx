import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

const DONE_MS = 1_500;

export interface CopyButtonProps {
  readonly text: string;
  /** Accessible name, such as "Copy command". */
  readonly label: string;
}

export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), DONE_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  };
  const name = outcome === "copied" ? "Copied" : outcome === "failed" ? "Select and press Ctrl+C" : label;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={name}
      title={name}
      data-outcome={outcome}
      onClick={copy}
    >
      <Icon name={outcome === "copied" ? "check" : "copy"} />
    </button>
  );
}
