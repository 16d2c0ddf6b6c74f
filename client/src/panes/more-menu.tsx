import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { lessonsDone } from "../state/progress.ts";
import { askLearner, putNotice } from "../state/store.ts";
import { parseProgressFile } from "../state/stored.ts";
import { count } from "../state/words.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu } from "../ui/menu.tsx";
import { type Page, usePage } from "../ui/page-context.ts";

export function MoreMenu(): JSX.Element {
  const page = usePage();
  const { actions } = page;
  const picker = useRef<HTMLInputElement>(null);
  const importFile = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (file !== undefined) void importProgress(page, file);
  };
  return (
    <>
      <Menu label="More" face={<Icon name="more" />}>
        {(close) => {
          const then = (act: () => void) => (): void => {
            close();
            act();
          };
          return (
            <>
              <button type="button" onClick={then(() => exportProgress(page))}>
                Export progress
              </button>
              <button type="button" onClick={then(() => picker.current?.click())}>
                Import progress…
              </button>
              <hr />
              <LookItems />
              <hr />
              <button type="button" onClick={then(() => void actions.resetLesson())}>
                Start this lesson over…
              </button>
            </>
          );
        }}
      </Menu>
      <input ref={picker} type="file" accept="application/json,.json" hidden onChange={importFile} />
    </>
  );
}

function LookItems(): JSX.Element {
  const { store, actions } = usePage();
  const { serif, screenReader } = store.settings.value;
  return (
    <>
      <button type="button" aria-pressed={serif} onClick={() => actions.change({ serif: !serif })}>
        Serif lesson text {serif ? <Icon name="check" /> : null}
      </button>
      <button
        type="button"
        aria-pressed={screenReader}
        onClick={() => actions.change({ screenReader: !screenReader })}
      >
        Terminals for screen readers {screenReader ? <Icon name="check" /> : null}
      </button>
      <button
        type="button"
        onClick={() =>
          actions.change({ lessonWidth: null, editorShare: null, paneShares: null, pinned: null })
        }
      >
        Usual layout
      </button>
    </>
  );
}

function exportProgress({ store }: Page): void {
  const text = JSON.stringify(store.progress.value, null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "celery-playground-progress.json";
  link.click();
  URL.revokeObjectURL(address);
}

async function importProgress({ store }: Page, file: File): Promise<void> {
  const progress = parseProgressFile(await file.text());
  const id = "page.import";
  if (progress === undefined) {
    const text = `${file.name} is not a progress file. Choose one that “Export progress” has written.`;
    return putNotice(store, { id, level: "error", text });
  }
  const isSure = await askLearner(store, {
    title: "Replace your progress?",
    text: `The file has ${count(lessonsDone(progress), "lesson")} done; here it is ${lessonsDone(store.progress.value)}.`,
    yes: "Replace",
  });
  if (!isSure) return;
  store.progress.value = progress;
  putNotice(store, { id, level: "info", text: `Progress taken from ${file.name}.` });
}
