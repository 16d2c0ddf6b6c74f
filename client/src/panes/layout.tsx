import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { clamp } from "../state/pane-layout.ts";
import { usePage } from "../ui/page-context.ts";
import { Splitter } from "../ui/splitter.tsx";

export interface LayoutProps {
  readonly lesson: ComponentChildren;
  readonly queue: ComponentChildren;
  readonly editor: ComponentChildren;
  readonly terminals: ComponentChildren;
}

const LESSON_WIDTH = { least: 320, most: 760 };
const EDITOR_SHARE = { least: 0.12, most: 0.8, usual: 0.38 };

/** Two columns on wide windows, a drawer and a column on middle ones, one part at a time on narrow ones. */
export function Layout(parts: LayoutProps): JSX.Element {
  const { store } = usePage();
  const viewport = store.viewport.value;
  const tab = store.narrowTab.value;
  const isLessonShown =
    viewport === "wide" || (viewport === "middle" ? store.settings.value.drawerOpen : tab === "lesson");
  const isShown = (part: typeof tab): boolean => viewport !== "narrow" || tab === part;
  return (
    <main class="layout" data-viewport={viewport}>
      {isLessonShown ? null : <h1 class="sr-only">{store.lesson.value?.title ?? "Celery Playground"}</h1>}
      <LessonColumn isShown={isLessonShown}>{parts.lesson}</LessonColumn>
      <div class="work" hidden={viewport === "narrow" && tab === "lesson"}>
        <div class="work-queue" hidden={!isShown("queue")}>
          {parts.queue}
        </div>
        <WorkBands
          editor={parts.editor}
          terminals={parts.terminals}
          isEditorShown={isShown("code")}
          areTerminalsShown={isShown("terminals")}
        />
      </div>
    </main>
  );
}

function LessonColumn({ isShown, children }: { isShown: boolean; children: ComponentChildren }): JSX.Element {
  const { store, actions } = usePage();
  const column = useRef<HTMLDivElement>(null);
  const isWide = store.viewport.value === "wide";
  const width = store.settings.value.lessonWidth;
  const move = (pixels: number): void => {
    const now = column.current?.clientWidth ?? 0;
    const most = Math.min(LESSON_WIDTH.most, window.innerWidth / 2);
    actions.change({ lessonWidth: clamp(now + pixels, LESSON_WIDTH.least, most) });
  };
  return (
    <>
      <div
        class="lesson-column"
        ref={column}
        hidden={!isShown}
        style={isWide && width !== null ? { width: `min(${width}px, 50vw)` } : {}}
      >
        {children}
      </div>
      {isWide ? (
        <Splitter
          label="Lesson and work"
          orientation="vertical"
          value={(100 * (width ?? 0.36 * window.innerWidth)) / window.innerWidth}
          onMove={move}
          onReset={() => actions.change({ lessonWidth: null })}
        />
      ) : null}
    </>
  );
}

interface WorkBandsProps {
  readonly editor: ComponentChildren;
  readonly terminals: ComponentChildren;
  readonly isEditorShown: boolean;
  readonly areTerminalsShown: boolean;
}

function WorkBands({ editor, terminals, isEditorShown, areTerminalsShown }: WorkBandsProps): JSX.Element {
  const { store, actions } = usePage();
  const bands = useRef<HTMLDivElement>(null);
  const share = store.settings.value.editorShare ?? EDITOR_SHARE.usual;
  const isSplit = isEditorShown && areTerminalsShown;
  // A lesson that opens no file keeps only the editor's tab bar.
  const isCollapsed =
    isSplit && store.lesson.value?.open === null && store.settings.value.editorShare === null;
  const move = (pixels: number): void => {
    const height = bands.current?.clientHeight ?? 0;
    const next = clamp(share + pixels / Math.max(1, height), EDITOR_SHARE.least, EDITOR_SHARE.most);
    actions.change({ editorShare: next });
  };
  return (
    <div class="work-bands" ref={bands} hidden={!isEditorShown && !areTerminalsShown}>
      <div
        class="work-editor"
        hidden={!isEditorShown}
        data-collapsed={isCollapsed}
        style={isSplit && !isCollapsed ? { flexGrow: share } : {}}
      >
        {editor}
      </div>
      {isSplit ? (
        <Splitter
          label="Editor and terminals"
          orientation="horizontal"
          value={share * 100}
          onMove={move}
          onReset={() => actions.change({ editorShare: null })}
        />
      ) : null}
      <div class="work-terminals" hidden={!areTerminalsShown} style={isSplit ? { flexGrow: 1 - share } : {}}>
        {terminals}
      </div>
    </div>
  );
}
