import type { JSX } from "preact";
import type { CodeBlock } from "server/protocol";
import { Code } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ScrollPre } from "../ui/scroll-pre.tsx";

/** Code to read and copy; nothing runs it. */
export function CodeView({ block }: { block: CodeBlock }): JSX.Element {
  return (
    <div class="snippet">
      <ScrollPre>
        <Code code={block.code.replace(/\n$/, "")} language={block.lang} />
      </ScrollPre>
      <CopyButton text={block.code} label="Copy code" />
    </div>
  );
}
