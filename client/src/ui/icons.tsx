import type { JSX } from "preact";

/** Drawn on a 16 px grid with 1.5 px lines; always beside a word or inside a labelled button. */
const PATHS = {
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  previous: "M10 3.5 5.5 8l4.5 4.5",
  next: "M6 3.5 10.5 8 6 12.5",
  play: "M5 3.2v9.6l7.5-4.8z",
  stop: "M4.5 4.5h7v7h-7z",
  copy: "M5.5 5.5h7.5v7.5h-7.5zM3 10.5V3h7.5",
  text: "M3 4h10M3 7h10M3 10h10M3 13h6",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 13.5 13.5",
  pin: "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5zM8 9v4.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  keys: "M6 6.2A2 2 0 1 1 8 8.5V10M8 12.7v.01",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5Z",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  auto: "M8 2.5a5.5 5.5 0 1 0 0 11ZM8 2.5a5.5 5.5 0 0 1 0 11",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M4 6l4 4 4-4",
  check: "M3.5 8.5 6.5 11.5 12.5 5",
  cross: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  dot: "M8 8h.01",
  hint: "M5.5 9.5a3.8 3.8 0 1 1 5 0c-.7.6-.8 1-.8 1.7H6.3c0-.7-.1-1.1-.8-1.7ZM6.5 13.5h3",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
  restart: "M12.8 7a5 5 0 1 0-.3 3M13 3.5V7H9.5",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  lesson: "M3 3.5h4.2c.5 0 .8.4.8.8v8.7c0-.7-.5-1-1-1H3zM13 3.5H8.8c-.5 0-.8.4-.8.8v8.7c0-.7.5-1 1-1h4z",
  code: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
  terminal: "M2.5 3.5h11v9h-11zM5 6.5 7 8.2 5 10M8.5 10H11",
  queue: "M2.5 4.5h3v7h-3zM7 4.5h3v7H7zM11.5 4.5h2v7h-2z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: 16 | 20 }): JSX.Element {
  return (
    <svg
      class="icon"
      data-icon={name}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
