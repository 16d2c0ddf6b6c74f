import type { JSX } from "preact";
import type { CodeBlock } from "server/protocol";
import { Code } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy-button.tsx";

/** Code to read and copy; nothing runs it. */
export function CodeView({ block }: { block: CodeBlock }): JSX.Element {
  return (
    <div class="snippet">
      {/* A long line scrolls sideways, and the keyboard must be able to do that. */}
      <pre tabIndex={0}>
        <Code code={block.code.replace(/\n$/, "")} language={block.lang} />
      </pre>
      <CopyButton text={block.code} label="Copy code" />
    </div>
  );
}
