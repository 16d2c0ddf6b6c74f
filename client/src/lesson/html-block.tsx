import type { JSX } from "preact";

/** Text that the server made from allow-listed markdown; nothing else may come here. */
export function Html({ html, class: className = "prose" }: { html: string; class?: string }): JSX.Element {
  return <div class={className} dangerouslySetInnerHTML={{ __html: html }} />;
}
