import type { JSX } from "preact";
import type { FileBuffer, SaveState } from "../state/file-buffer.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu } from "../ui/menu.tsx";
import { usePage } from "../ui/page-context.ts";

export function EditorTabs(): JSX.Element {
  const { store } = usePage();
  const buffers = [...store.buffers.value.values()];
  const active = buffers.find((buffer) => buffer.path === store.activeFile.value);
  return (
    <div class="editor-bar">
      {buffers.length === 0 ? null : (
        <div class="tabs" role="tablist" aria-label="Files">
          {buffers.map((buffer) => (
            <Tab key={buffer.path} buffer={buffer} isActive={buffer === active} all={buffers} />
          ))}
        </div>
      )}
      <span class="editor-bar-space" />
      {active === undefined ? null : <SaveWords save={active.save} />}
      {active === undefined ? null : <ResetMenu buffer={active} />}
    </div>
  );
}

interface TabProps {
  readonly buffer: FileBuffer;
  readonly isActive: boolean;
  readonly all: readonly FileBuffer[];
}

function Tab({ buffer, isActive, all }: TabProps): JSX.Element {
  const { store } = usePage();
  const isUnsaved = buffer.save.phase !== "saved";
  const open = (path: string): void => {
    store.activeFile.value = path;
  };
  const moveByKeys = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const target = all[(all.indexOf(buffer) + step + all.length) % all.length];
    if (step === 0 || target === undefined) return;
    event.preventDefault();
    open(target.path);
    document.getElementById(tabId(target.path))?.focus();
  };
  return (
    <button
      type="button"
      role="tab"
      class="tab"
      id={tabId(buffer.path)}
      aria-selected={isActive}
      aria-controls={isActive ? "editor-panel" : undefined}
      tabIndex={isActive ? 0 : -1}
      title={buffer.edited ? `${buffer.path} (changed from the lesson's version)` : buffer.path}
      onClick={() => open(buffer.path)}
      onKeyDown={moveByKeys}
    >
      {buffer.path}
      {isUnsaved ? <span class="tab-dot" role="img" aria-label="not saved" /> : null}
    </button>
  );
}

function tabId(path: string): string {
  return `tab-${path.replace(/[^\w-]/g, "_")}`;
}

function SaveWords({ save }: { save: SaveState }): JSX.Element {
  const { store } = usePage();
  const isOffline = store.connection.value.phase !== "open";
  return (
    <span class="save-words" data-phase={save.phase}>
      {saveWords(save, isOffline)}
    </span>
  );
}

function saveWords(save: SaveState, isOffline: boolean): string {
  switch (save.phase) {
    case "saved":
      return "Saved";
    case "unsaved":
      return isOffline ? "Will be saved when the server answers" : "Saving…";
    case "saving":
      return "Saving…";
    case "failed":
      return "Not saved";
    case "conflict":
      return "Conflict";
  }
}

function ResetMenu({ buffer }: { buffer: FileBuffer }): JSX.Element {
  const { actions } = usePage();
  return (
    <Menu
      label="Reset"
      class="button button-quiet"
      face={
        <>
          Reset <Icon name="chevron" />
        </>
      }
    >
      {(close) => (
        <>
          <button
            type="button"
            disabled={!buffer.edited && buffer.save.phase === "saved"}
            onClick={() => {
              close();
              void actions.resetFile(buffer.path);
            }}
          >
            Reset {buffer.path}…
          </button>
          <button
            type="button"
            onClick={() => {
              close();
              void actions.resetLesson();
            }}
          >
            Start the whole lesson over…
          </button>
        </>
      )}
    </Menu>
  );
}
