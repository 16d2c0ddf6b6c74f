import type { JSX } from "preact";
import { useRef } from "preact/hooks";

export interface SplitterProps {
  /** What is on its two sides: "Lesson and work". */
  readonly label: string;
  /** Which way the bar runs: a `vertical` bar is dragged sideways. */
  readonly orientation: "vertical" | "horizontal";
  /** Share of the first side, 0 to 100, for screen readers. */
  readonly value: number;
  /** Pixels since the last call, positive is right or down. */
  readonly onMove: (pixels: number) => void;
  /** Back to the built-in size, on a double click. */
  readonly onReset: () => void;
}

const KEY_STEP_PX = 16;

/** A border that can be dragged, and moved with the arrow keys. */
export function Splitter({ label, orientation, value, onMove, onReset }: SplitterProps): JSX.Element {
  const last = useRef<number | null>(null);
  const at = (event: PointerEvent): number => (orientation === "vertical" ? event.clientX : event.clientY);
  const move = (event: PointerEvent): void => {
    if (last.current === null) return;
    onMove(at(event) - last.current);
    last.current = at(event);
  };
  const stop = (): void => {
    last.current = null;
  };
  return (
    <div
      class={`splitter splitter-${orientation}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={Math.round(value)}
      aria-valuemin={0}
      aria-valuemax={100}
      title="Drag, or use the arrow keys; double-click for the usual size"
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        last.current = at(event);
      }}
      onPointerMove={move}
      onPointerUp={stop}
      onPointerCancel={stop}
      onDblClick={onReset}
      onKeyDown={(event) => {
        const step = keyStep(event.key, orientation);
        if (step === 0) return;
        event.preventDefault();
        onMove(step);
      }}
    />
  );
}

function keyStep(key: string, orientation: SplitterProps["orientation"]): number {
  const [back, forth] = orientation === "vertical" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  if (key === back) return -KEY_STEP_PX;
  return key === forth ? KEY_STEP_PX : 0;
}
