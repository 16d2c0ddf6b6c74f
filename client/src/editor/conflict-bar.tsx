import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { usePage } from "../ui/page-context.ts";

/** Another program wrote the file under the learner's typing: nothing is lost before the learner chose. */
export function ConflictBar({ path }: { path: string }): JSX.Element {
  const { store } = usePage();
  return (
    <div class="conflict-bar" role="alert">
      <p>{path} changed on disk while you were typing. Which version do you want?</p>
      <div class="conflict-actions">
        <button
          type="button"
          class="button button-small"
          onClick={() => {
            store.dialog.value = { kind: "compare", path };
          }}
        >
          Compare
        </button>
        <Choices path={path} size="button-small" />
      </div>
    </div>
  );
}

interface ChoicesProps {
  readonly path: string;
  readonly size?: "button-small";
  readonly onChosen?: () => void;
}

function Choices({ path, size, onChosen }: ChoicesProps): JSX.Element {
  const { actions } = usePage();
  const choose = (choice: "keep-mine" | "take-disk"): void => {
    actions.resolveConflict(path, choice);
    onChosen?.();
  };
  return (
    <>
      <button type="button" class={`button ${size ?? ""}`} onClick={() => choose("keep-mine")}>
        Keep mine
      </button>
      <button type="button" class={`button ${size ?? ""}`} onClick={() => choose("take-disk")}>
        Take the disk's
      </button>
    </>
  );
}

/** Both versions side by side. */
export function CompareDialog({ path }: { path: string }): JSX.Element | null {
  const { store } = usePage();
  const host = useRef<HTMLDivElement>(null);
  const close = (): void => {
    store.dialog.value = null;
  };
  const buffer = store.buffers.peek().get(path);
  useEffect(() => {
    let take: (() => void) | undefined;
    let isGone = false;
    void import("./compare.ts").then(({ openCompare }) => {
      if (isGone || host.current === null || buffer?.save.phase !== "conflict") return;
      take = openCompare(host.current, buffer.text, buffer.save.disk.text);
    });
    return () => {
      isGone = true;
      take?.();
    };
  }, []);
  return (
    <Dialog title={`Two versions of ${path}`} shape="wide" onClose={close}>
      <p class="compare-heads">
        <span>Yours</span>
        <span>On disk</span>
      </p>
      <div class="compare-host" ref={host} />
      <div class="dialog-actions">
        <Choices path={path} onChosen={close} />
      </div>
    </Dialog>
  );
}
