import type { JSX } from "preact";

/** A sentence in which `code` stands between backticks, as lessons and messages write it. */
export function Words({ text }: { text: string }): JSX.Element {
  const parts = text.split("`");
  // An unpaired backtick is a backtick.
  if (parts.length % 2 === 0) return <>{text}</>;
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
