import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  CheckState,
  CourseView,
  EditState,
  LessonView,
  PaneId,
  PaneState,
  QueueView,
  RedisView,
  ServerMessage,
} from "server/protocol";
import { type CheckProgress, checkProgress, nextStep, type Steps } from "./blocks.ts";
import type { Connection } from "./connection.ts";
import type { FileBuffer } from "./file-buffer.ts";
import { type HintWatch, NO_HINT_WATCH } from "./hints.ts";
import type { Progress } from "./progress.ts";
import type { FileTarget, Route } from "./route.ts";
import type { Settings } from "./settings.ts";

export type Welcome = Extract<ServerMessage, { type: "welcome" }>;
export type Notice = Omit<Extract<ServerMessage, { type: "notice" }>, "type">;
export type Viewport = "wide" | "middle" | "narrow";
export type NarrowTab = "lesson" | "code" | "terminals" | "queue";

/** What lies over the page; one at a time. */
export type Dialog =
  | { readonly kind: "keys" | "lessons" }
  | { readonly kind: "text"; readonly pane: PaneId }
  | { readonly kind: "compare"; readonly path: string }
  | { readonly kind: "question"; readonly question: Question; readonly answer: (yes: boolean) => void };

export interface Question {
  readonly title: string;
  readonly text: string;
  /** Shown as it is, in the terminal's face: what is about to be pasted. */
  readonly preview?: string;
  readonly yes: string;
  readonly no?: string;
  readonly isDangerous?: boolean;
}

/** A request to show lines of a file; a new object each time, so that asking twice scrolls twice. */
export interface Shown extends FileTarget {
  /** Move the keyboard there too. */
  readonly focus: boolean;
}

/** The screen is a pure function of these. Only `receive` and the actions write to them. */
export interface Store {
  readonly connection: Signal<Connection>;
  readonly welcome: Signal<Welcome | null>;
  readonly route: Signal<Route>;
  readonly course: Signal<CourseView | null>;
  readonly lesson: Signal<LessonView | null>;
  /** Slug of the lesson whose files, shells and checks are shown: the server's active one as this page knows it. */
  readonly active: Signal<string | null>;
  /** Slug that was asked for while the server has not said that it is done; other lessons' news is old till then. */
  readonly opening: Signal<string | null>;
  readonly buffers: Signal<ReadonlyMap<string, FileBuffer>>;
  readonly activeFile: Signal<string | null>;
  readonly shown: Signal<Shown | null>;
  readonly redis: Signal<RedisView | null>;
  readonly panes: Signal<Panes>;
  /** Lines skipped in each pane since its last command. */
  readonly skipped: Signal<Readonly<Partial<Record<PaneId, number>>>>;
  readonly steps: Signal<Steps>;
  /** Why a request about a step, an edit or a file was refused, by its id or path. */
  readonly refusals: Signal<ReadonlyMap<string, string>>;
  readonly edits: Signal<Readonly<Record<string, EditState>>>;
  readonly checks: Signal<ReadonlyMap<string, CheckState>>;
  readonly hintWatch: Signal<HintWatch>;
  readonly queue: Signal<QueueView>;
  readonly notices: Signal<readonly Notice[]>;
  readonly progress: Signal<Progress>;
  readonly settings: Signal<Settings>;
  /** The pane that the current step uses: it is the large one unless another is pinned. */
  readonly currentPane: Signal<PaneId>;
  readonly viewport: Signal<Viewport>;
  readonly narrowTab: Signal<NarrowTab>;
  /** Tabs in which something changed while another was shown. */
  readonly changedTabs: Signal<ReadonlySet<NarrowTab>>;
  readonly dialog: Signal<Dialog | null>;
  /** Sentences waiting to be read out by the live region. */
  readonly news: Signal<readonly string[]>;
  /** The panes as a learner should see them: shells of a lesson that is being left count as starting. */
  readonly shownPanes: ReadonlySignal<Panes>;
  readonly nextStepId: ReadonlySignal<string | undefined>;
  readonly checkProgress: ReadonlySignal<CheckProgress>;
}

const STARTING: PaneState = { phase: "starting", epoch: 0 };

export const EMPTY_QUEUE: QueueView = {
  queues: [],
  unacked: 0,
  scheduled: 0,
  dead: 0,
  results: { success: 0, failure: 0, retry: 0 },
  workers: [],
};

type Panes = Readonly<Record<PaneId, PaneState>>;

export interface StoreStart {
  readonly route: Route;
  readonly progress: Progress;
  readonly settings: Settings;
  readonly viewport: Viewport;
}

export function openStore(start: StoreStart): Store {
  const lesson = signal<LessonView | null>(null);
  const steps = signal<Steps>({});
  const checks = signal<ReadonlyMap<string, CheckState>>(new Map());
  const opening = signal<string | null>(null);
  const panes = signal<Panes>({ broker: STARTING, worker: STARTING, producer: STARTING });
  return {
    connection: signal<Connection>({ phase: "connecting", attempt: 0 }),
    welcome: signal(null),
    route: signal(start.route),
    course: signal(null),
    lesson,
    active: signal(null),
    opening,
    buffers: signal(new Map()),
    activeFile: signal(null),
    shown: signal(null),
    redis: signal(null),
    panes,
    skipped: signal({}),
    steps,
    refusals: signal(new Map()),
    edits: signal({}),
    checks,
    hintWatch: signal(NO_HINT_WATCH),
    queue: signal(EMPTY_QUEUE),
    notices: signal([]),
    progress: signal(start.progress),
    settings: signal(start.settings),
    currentPane: signal<PaneId>("worker"),
    viewport: signal(start.viewport),
    narrowTab: signal<NarrowTab>("lesson"),
    changedTabs: signal(new Set<NarrowTab>()),
    dialog: signal(null),
    news: signal([]),
    shownPanes: computed(() => (opening.value === null ? panes.value : leaving(panes.value))),
    nextStepId: computed(() => (lesson.value ? nextStep(lesson.value, steps.value)?.id : undefined)),
    checkProgress: computed(() =>
      lesson.value ? checkProgress(lesson.value, checks.value) : { green: 0, total: 0, complete: false },
    ),
  };
}

/** Worker and producer get new shells with a lesson; Redis goes on. */
function leaving({ broker, worker, producer }: Panes): Panes {
  const starting = (state: PaneState): PaneState => ({ phase: "starting", epoch: state.epoch });
  return { broker, worker: starting(worker), producer: starting(producer) };
}

/** Shows or replaces the notice of this id. */
export function putNotice(store: Store, notice: Notice): void {
  const others = store.notices.value.filter((other) => other.id !== notice.id);
  store.notices.value = [...others, notice];
}

export function dropNotice(store: Store, id: string): void {
  store.notices.value = store.notices.value.filter((notice) => notice.id !== id);
}

/** Remembers why a request was refused, or forgets it with `undefined`. */
export function putRefusal(store: Store, key: string, message: string | undefined): void {
  const next = new Map(store.refusals.value);
  if (message === undefined) next.delete(key);
  else next.set(key, message);
  store.refusals.value = next;
}

export function announce(store: Store, sentence: string | undefined): void {
  if (sentence !== undefined) store.news.value = [...store.news.value, sentence];
}

/** Asks the learner, in a dialog. Settles with false when it is closed any other way. */
export async function askLearner(store: Store, question: Question): Promise<boolean> {
  const { value: open } = store.dialog;
  if (open?.kind === "question") open.answer(false);
  return new Promise((answer) => {
    store.dialog.value = { kind: "question", question, answer };
  });
}

/** Marks a tab of the narrow layout as changed unless it is the one shown. */
export function markChanged(store: Store, tab: NarrowTab): void {
  const { value: tabs } = store.changedTabs;
  if (store.viewport.value !== "narrow" || store.narrowTab.value === tab || tabs.has(tab)) return;
  store.changedTabs.value = new Set([...tabs, tab]);
}
