import type { JSX } from "preact";

/** States by shape and colour; words stand beside the mark, always. */
export type MarkTone = "quiet" | "queued" | "waiting" | "idle" | "active" | "on" | "ok" | "failed" | "retry";

const SHAPES: Readonly<Record<MarkTone, JSX.Element>> = {
  quiet: <circle cx="8" cy="8" r="5.25" />,
  idle: <circle cx="8" cy="8" r="4" />,
  queued: <rect x="3.5" y="3.5" width="9" height="9" rx="1" />,
  waiting: <path d="M4 3.250h8L4 12.750h8Z" />,
  active: <circle cx="8" cy="8" r="4.5" class="solid" />,
  on: <circle cx="8" cy="8" r="4" class="solid" />,
  ok: <path d="M3 8.5 6.5 12 13 4.5" />,
  failed: <path d="M4 4l8 8M12 4l-8 8" />,
  retry: <path d="M12.5 6.5A5 5 0 1 0 13 9M13 3v3.5H9.5" />,
};

export function Mark({ tone }: { tone: MarkTone }): JSX.Element {
  return (
    <svg
      class="mark"
      data-tone={tone}
      width="16"
      height="16"
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[tone]}
    </svg>
  );
}
