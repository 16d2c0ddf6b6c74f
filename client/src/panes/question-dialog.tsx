import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Dialog as StoreDialog } from "../state/store.ts";
import { Dialog } from "../ui/dialog.tsx";
import { usePage } from "../ui/page-context.ts";

/** A question with two answers; closing it any other way is a no. */
export function QuestionDialog({
  dialog,
}: {
  dialog: Extract<StoreDialog, { kind: "question" }>;
}): JSX.Element {
  const { store } = usePage();
  const { question } = dialog;
  const yes = useRef<HTMLButtonElement>(null);
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => (question.isDangerous ? no : yes).current?.focus(), []);
  const answer = (isYes: boolean): void => {
    store.dialog.value = null;
    dialog.answer(isYes);
  };
  return (
    <Dialog title={question.title} onClose={() => answer(false)}>
      <p>{question.text}</p>
      {question.preview === undefined ? null : (
        <pre class="dialog-preview" tabIndex={0}>
          {question.preview}
        </pre>
      )}
      <div class="dialog-actions">
        <button ref={no} type="button" class="button" onClick={() => answer(false)}>
          {question.no ?? "Cancel"}
        </button>
        <button
          ref={yes}
          type="button"
          class={`button ${question.isDangerous ? "button-danger" : "button-primary"}`}
          onClick={() => answer(true)}
        >
          {question.yes}
        </button>
      </div>
    </Dialog>
  );
}
