import type { ComponentChildren, JSX } from "preact";
import type { PaneId } from "server/protocol";
import { runBlocks } from "../state/blocks.ts";
import { usePage } from "../ui/page-context.ts";

/** Words over an empty pane: what it is for and how to begin. Gone as soon as something ran in it. */
export function PaneNote({ pane }: { pane: PaneId }): JSX.Element | null {
  const { store } = usePage();
  const state = store.shownPanes.value[pane];
  if (state.phase === "closed") {
    return (
      <Note isBar isLate>
        <p>This shell has ended. A step of the lesson, or starting the lesson over, opens a new one.</p>
      </Note>
    );
  }
  if (pane === "broker") return <BrokerNote />;
  if (state.phase !== "idle" || state.exit !== null) return null;
  return pane === "worker" ? <WorkerNote /> : <ProducerNote />;
}

interface NoteProps {
  /** Below the text that is there already, instead of over an empty screen. */
  readonly isBar?: boolean;
  /** Only if it stays so: a shell that is being replaced has ended for a moment too. */
  readonly isLate?: boolean;
  readonly children: ComponentChildren;
}

function Note({ isBar, isLate, children }: NoteProps): JSX.Element {
  return (
    <div class={`pane-note ${isBar ? "pane-note-bar" : ""} ${isLate ? "pane-note-late" : ""}`}>
      {children}
    </div>
  );
}

function BrokerNote(): JSX.Element | null {
  const { store, actions } = usePage();
  const redis = store.redis.value;
  if (redis === null || redis.up) return null;
  const isOurs = redis.kind !== "external";
  return (
    <Note isBar>
      <p>{isOurs ? "Redis keeps messages until a worker takes them. Not running." : redis.error}</p>
      {isOurs ? (
        <button type="button" class="button button-small" onClick={() => void actions.startRedis()}>
          Start Redis
        </button>
      ) : null}
    </Note>
  );
}

function WorkerNote(): JSX.Element {
  const { store, actions } = usePage();
  const lesson = store.lesson.value;
  const step = lesson === null ? undefined : runBlocks(lesson).find((block) => block.pane === "worker");
  const isFirst = step !== undefined && lesson !== null && runBlocks(lesson)[0] === step;
  return (
    <Note>
      <p>
        A worker waits for messages and runs your functions. None is running.
        {step === undefined ? "" : isFirst ? " Step 1 starts one." : " A step of this lesson starts one."}
      </p>
      {isFirst ? (
        <button type="button" class="button button-small" onClick={() => void actions.runStep(step.id)}>
          Start
        </button>
      ) : null}
    </Note>
  );
}

function ProducerNote(): JSX.Element {
  return (
    <Note>
      <p>Your program's side: it puts messages in the queue. Type here, or press Run in the lesson.</p>
    </Note>
  );
}
