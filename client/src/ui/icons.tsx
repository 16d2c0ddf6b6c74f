import type { JSX } from "preact";

/** Drawn on a 16 px grid with 1.5 px lines; always beside a word or inside a labelled button. */
const PATHS = {
  menu: "M2.5 4.500h11M2.500 8h11M2.500 11.500h11",
  previous: "M10 3.500 5.500 8l4.500 4.500",
  next: "M6 3.500 10.500 8 6 12.500",
  play: "M5 3.200v9.600l7.500-4.800z",
  stop: "M4.500 4.500h7v7h-7z",
  copy: "M5.500 5.500h7.500v7.500h-7.500zM3 10.500V3h7.500",
  text: "M3 4h10M3 7h10M3 10h10M3 13h6",
  search: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM10.300 10.300 13.500 13.500",
  pin: "M6 2.500h4l-.5 4 2 2.500h-7l2-2.500zM8 9v4.500",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  keys: "M6 6.200A2 2 0 1 1 8 8.500V10M8 12.700v.01",
  moon: "M13 9.500A5.500 5.500 0 1 1 6.500 3a4.500 4.500 0 0 0 6.500 6.500Z",
  sun: "M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600ZM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7",
  auto: "M8 2.500a5.500 5.500 0 1 0 0 11ZM8 2.500a5.500 5.500 0 0 1 0 11",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M4 6l4 4 4-4",
  check: "M3.500 8.500 6.500 11.500 12.500 5",
  cross: "M4.500 4.500l7 7M11.500 4.500l-7 7",
  dot: "M8 8h.01",
  hint: "M5.500 9.500a3.800 3.800 0 1 1 5 0c-.7.6-.8 1-.8 1.700H6.300c0-.7-.1-1.100-.8-1.700ZM6.500 13.500h3",
  file: "M4 2.500h5l3 3v8H4zM9 2.500v3h3",
  restart: "M12.800 7a5 5 0 1 0-.3 3M13 3.500V7H9.500",
  up: "M8 13V3.500M4 7.500l4-4 4 4",
  lesson:
    "M3 3.500h4.200c.5 0 .8.4.8.8v8.700c0-.7-.5-1-1-1H3zM13 3.500H8.800c-.5 0-.8.4-.8.8v8.700c0-.7.5-1 1-1h4z",
  code: "M5.500 4.500 2 8l3.500 3.500M10.500 4.500 14 8l-3.500 3.500",
  terminal: "M2.500 3.500h11v9h-11zM5 6.500 7 8.200 5 10M8.500 10H11",
  queue: "M2.500 4.500h3v7h-3zM7 4.500h3v7H7zM11.500 4.500h2v7h-2z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: 16 | 20 }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
