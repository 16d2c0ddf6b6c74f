import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../ui/icons.tsx";

export interface SearchBarProps {
  readonly onFind: (text: string, direction: "next" | "previous") => void;
  readonly onClose: () => void;
}

export function SearchBar({ onFind, onClose }: SearchBarProps): JSX.Element {
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const handleKeys = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
    if (event.key === "Enter") onFind(text, event.shiftKey ? "previous" : "next");
  };
  return (
    <search class="search-bar" onKeyDown={handleKeys}>
      <input
        ref={input}
        type="search"
        aria-label="Find in output"
        placeholder="Find"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button
        type="button"
        class="icon-button"
        aria-label="Previous match"
        onClick={() => onFind(text, "previous")}
      >
        <Icon name="up" />
      </button>
      <button type="button" class="icon-button" aria-label="Close find" onClick={onClose}>
        <Icon name="close" />
      </button>
    </search>
  );
}
