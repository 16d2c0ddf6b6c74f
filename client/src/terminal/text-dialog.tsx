import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PaneId } from "server/protocol";
import { paneSections, type TextSection } from "../state/pane-text.ts";
import { PANE_TITLES } from "../state/pane-words.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { usePage } from "../ui/page-context.ts";

type Loaded = { readonly phase: "loading" | "failed" } | { readonly phase: "read"; readonly text: string };

/** A pane's last 500 lines as plain text with a heading for each command: for screen readers, search and copying. */
export function TextDialog({ pane }: { pane: PaneId }): JSX.Element {
  const { store, actions } = usePage();
  const [loaded, setLoaded] = useState<Loaded>({ phase: "loading" });
  useEffect(() => {
    actions.readPane(pane).then(
      (text) => setLoaded({ phase: "read", text }),
      () => setLoaded({ phase: "failed" }),
    );
  }, [pane]);
  const close = (): void => {
    store.dialog.value = null;
  };
  return (
    <Dialog title={`${PANE_TITLES[pane]} as text`} shape="wide" onClose={close}>
      {loaded.phase === "loading" ? <p>Reading…</p> : null}
      {loaded.phase === "failed" ? <p>The server did not answer. Close this and try again.</p> : null}
      {loaded.phase === "read" ? <PaneText text={loaded.text} /> : null}
    </Dialog>
  );
}

function PaneText({ text }: { text: string }): JSX.Element {
  const sections = paneSections(text);
  if (sections.length === 0) return <p>Nothing was printed yet.</p>;
  return (
    <div class="pane-text">
      {sections.map((section, index) => (
        <Section key={index} section={section} />
      ))}
    </div>
  );
}

function Section({ section }: { section: TextSection }): JSX.Element {
  return (
    <div class="pane-text-section">
      {section.command === null ? null : (
        <h3>
          <code>$ {section.command}</code>
        </h3>
      )}
      {section.output === "" ? null : (
        <div class="snippet">
          <pre>{section.output}</pre>
          <CopyButton text={section.output} label="Copy output" />
        </div>
      )}
    </div>
  );
}
