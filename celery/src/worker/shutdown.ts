/** How far the end has come. `hintGiven`: Ctrl-C was pressed once, and the next one means more. */
export type ShutdownPhase =
  | { readonly name: "running" }
  | { readonly name: "warm"; readonly hintGiven: boolean }
  | { readonly name: "cold" }
  | { readonly name: "hard" };

export type ShutdownSignal = "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGHUP";

export interface ShutdownStep {
  readonly phase: ShutdownPhase;
  /** What to tell whoever sent the signal, a bare line on stdout each. */
  readonly say: readonly string[];
}

const WARM = "worker: Warm shutdown (MainProcess)";
const COLD = "worker: Cold shutdown (MainProcess)";
const HINT_COLD = "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!";
const HINT_HARD = "worker: Hitting Ctrl+C again will terminate all running tasks!";

/**
 * What a signal means now. Warm lets running tasks end, cold kills them and gives messages back, hard leaves
 * at once.
 *
 * @see celery 5.7.0 apps/worker.py, `install_worker_int_handler` and neighbours
 */
export function advanceShutdown(phase: ShutdownPhase, signal: ShutdownSignal): ShutdownStep {
  switch (phase.name) {
    case "running":
    case "warm":
      return advanceEarly(phase, signal);
    case "cold":
      return signal === "SIGTERM" ? { phase, say: [WARM] } : { phase: { name: "hard" }, say: [] };
    case "hard":
      return { phase, say: [] };
  }
}

function advanceEarly(
  phase: Extract<ShutdownPhase, { name: "running" | "warm" }>,
  signal: ShutdownSignal,
): ShutdownStep {
  const hintGiven = phase.name === "warm" && phase.hintGiven;
  switch (signal) {
    case "SIGTERM":
      return { phase: { name: "warm", hintGiven }, say: [WARM] };
    case "SIGINT":
      return hintGiven
        ? { phase: { name: "cold" }, say: [HINT_HARD] }
        : { phase: { name: "warm", hintGiven: true }, say: [HINT_COLD, WARM] };
    case "SIGQUIT":
      return { phase: { name: "cold" }, say: [HINT_HARD, COLD] };
    case "SIGHUP":
      // The terminal is gone: nobody is left to wait for tasks, or to press Ctrl-C.
      return { phase: { name: "cold" }, say: [] };
  }
}

/** The phases as signals that abort, each implying those before it. */
export interface Shutdown extends Disposable {
  readonly warm: AbortSignal;
  readonly cold: AbortSignal;
  readonly hard: AbortSignal;
  /** Ends the worker as SIGTERM does, without a word about it: remote control asks for it. */
  requestWarm(): void;
}

export interface WatchOptions {
  /** Writes a bare line to the terminal. */
  readonly say: (text: string) => void;
  /** `REMAP_SIGTERM=SIGQUIT`: orchestrators send SIGTERM, and want a cold shutdown. */
  readonly sigtermIsSigquit?: boolean;
  /** Told of each signal that moves the end forward. */
  readonly onSignal?: (signal: NodeJS.Signals, how: "Warm" | "Cold") => void;
}

const SIGNALS: readonly ShutdownSignal[] = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"];

/** Listens to the process's signals until disposed. */
export function watchShutdown(self: Pick<NodeJS.Process, "on" | "off">, options: WatchOptions): Shutdown {
  const controls = { warm: new AbortController(), cold: new AbortController(), hard: new AbortController() };
  let phase: ShutdownPhase = { name: "running" };
  const advance = (step: ShutdownStep): void => {
    phase = step.phase;
    for (const text of step.say) options.say(text);
    if (phase.name !== "running") controls.warm.abort();
    if (phase.name === "cold" || phase.name === "hard") controls.cold.abort();
    if (phase.name === "hard") controls.hard.abort();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const meant = signal === "SIGTERM" && options.sigtermIsSigquit ? "SIGQUIT" : (signal as ShutdownSignal);
    const step = advanceShutdown(phase, meant);
    if (step.phase.name !== phase.name)
      options.onSignal?.(signal, step.phase.name === "warm" ? "Warm" : "Cold");
    advance(step);
  };
  for (const signal of SIGNALS) self.on(signal, onSignal);
  return {
    warm: controls.warm.signal,
    cold: controls.cold.signal,
    hard: controls.hard.signal,
    requestWarm: () => {
      if (phase.name === "running") advance({ phase: { name: "warm", hintGiven: false }, say: [] });
    },
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) self.off(signal, onSignal);
    },
  };
}
