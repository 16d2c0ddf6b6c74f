import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface MenuProps {
  /** Accessible name of the button. */
  readonly label: string;
  readonly face: ComponentChildren;
  readonly class?: string;
  /** The panel; it gets how to close itself. */
  readonly children: (close: () => void) => ComponentChildren;
}

/** A button that opens a small panel of buttons. Esc, a click elsewhere and leaving by Tab close it. */
export function Menu({ label, face, class: className = "icon-button", children }: MenuProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panelId = useId();
  useClickElsewhere(isOpen, root, () => setOpen(false));
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    close();
  };
  const closeOnLeave = (event: FocusEvent): void => {
    if (event.relatedTarget instanceof Node && !root.current?.contains(event.relatedTarget)) setOpen(false);
  };
  return (
    <div class="menu" ref={root} onKeyDown={closeOnEscape} onFocusOut={closeOnLeave}>
      <button
        ref={button}
        type="button"
        class={className}
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={panelId}
        onClick={() => setOpen(!isOpen)}
      >
        {face}
      </button>
      <div id={panelId} class="menu-panel" hidden={!isOpen}>
        {isOpen && children(close)}
      </div>
    </div>
  );
}

function useClickElsewhere(isOpen: boolean, root: { current: HTMLElement | null }, close: () => void): void {
  useEffect(() => {
    if (!isOpen) return;
    const listen = (event: PointerEvent): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", listen);
    return () => document.removeEventListener("pointerdown", listen);
  }, [isOpen]);
}
