import type { JSX } from "preact";
import type { CheckBlock, EditBlock, EditState } from "server/protocol";
import { Code } from "../ui/code.tsx";
import { languageOf } from "../ui/highlight.ts";
import { Icon } from "../ui/icons.tsx";
import { Mark } from "../ui/mark.tsx";
import { usePage } from "../ui/page-context.ts";
import { ScrollPre } from "../ui/scroll-pre.tsx";
import { InlineCheck } from "./inline-check.tsx";

export interface EditCardProps {
  readonly block: EditBlock;
  readonly checks: readonly CheckBlock[];
}

/** A change to a file of the workspace, shown red and green, done with one click and undone in the editor. */
export function EditCard({ block, checks }: EditCardProps): JSX.Element {
  const { store } = usePage();
  const state = store.edits.value[block.id] ?? "open";
  const body = <EditBody block={block} state={state} />;
  return (
    <div class="card edit" id={block.id} data-edit={block.id} data-phase={state}>
      {block.solution && state !== "applied" ? (
        <details class="solution">
          <summary>Show the solution</summary>
          {body}
        </details>
      ) : (
        body
      )}
      {checks.map((check) => (
        <InlineCheck key={check.id} block={check} />
      ))}
    </div>
  );
}

function EditBody({ block, state }: { block: EditBlock; state: EditState }): JSX.Element {
  const { store, actions } = usePage();
  const refusal = store.refusals.value.get(block.id);
  const open = (event: MouseEvent): void => {
    actions.showFile({ path: block.file, from: null, to: null, focus: event.detail === 0 });
  };
  return (
    <>
      <div class="edit-head">
        <button type="button" class="link" onClick={open}>
          <Icon name="file" />
          {block.file}
        </button>
      </div>
      <Diff diff={block.diff} language={languageOf(block.file)} />
      <div class="step-bar">
        <button
          type="button"
          class="button"
          aria-label={`Apply to ${block.file}`}
          disabled={state === "applied"}
          onClick={() => void actions.applyEdit(block.id)}
        >
          Apply to {block.file}
        </button>
        {state === "applied" ? (
          <span class="step-outcome" data-tone="ok">
            <Mark tone="ok" /> in your file
          </span>
        ) : null}
      </div>
      {state === "conflict" || refusal !== undefined ? (
        <p class="trouble">{refusal ?? conflictWords(block)}</p>
      ) : null}
    </>
  );
}

function conflictWords(block: EditBlock): string {
  return (
    `Your ${block.file} differs from the lines above, so this cannot be applied by itself. ` +
    `Make the change by hand, or reset ${block.file} in the editor and apply again.`
  );
}

function Diff({ diff, language }: { diff: string; language: string }): JSX.Element {
  const lines = diff.replace(/\n$/, "").split("\n");
  return (
    <ScrollPre class="diff">
      {lines.map((line, index) => {
        const kind = diffKind(line);
        return (
          <span key={index} class={`diff-line diff-${kind}`}>
            <span class="diff-sign">{kind === "added" || kind === "removed" ? line[0] : " "}</span>
            {kind === "place" ? "⋯" : <Code code={line.slice(1)} language={language} />}
            {"\n"}
          </span>
        );
      })}
    </ScrollPre>
  );
}

type DiffKind = "added" | "removed" | "kept" | "place";

/** `place` stands between parts of the file that are far apart. */
function diffKind(line: string): DiffKind {
  if (line.startsWith("@@")) return "place";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "kept";
}
