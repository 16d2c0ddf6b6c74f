import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { tokenize } from "./highlight.ts";

/** Code in colours, inline; the caller brings the `pre`. */
export function Code({ code, language }: { code: string; language: string }): JSX.Element {
  const tokens = useMemo(() => tokenize(code, language), [code, language]);
  return (
    <code>
      {tokens.map((token, index) =>
        token.kind === "plain" ? (
          token.text
        ) : (
          <span key={index} class={`tok-${token.kind}`}>
            {token.text}
          </span>
        ),
      )}
    </code>
  );
}
