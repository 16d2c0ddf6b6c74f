/** How long each kind of request to end is given, in milliseconds. */
export interface StopPatience {
  /** After Ctrl-C, which a worker answers by finishing its tasks. */
  readonly warmMs: number;
  /** After the second Ctrl-C, and after SIGKILL. */
  readonly coldMs: number;
  /** After Ctrl-C and after SIGTERM, for a program that reads single keys: it has no work to finish. */
  readonly interactiveMs: number;
}

export const STOP_PATIENCE: StopPatience = { warmMs: 10_000, coldMs: 5000, interactiveMs: 1000 };

export interface StopDeps {
  interrupt(): void;
  /** Resolves to whether the shell was done within this time. */
  idleWithin(ms: number): Promise<boolean>;
  /** The foreground program has switched the terminal from lines to single keys. */
  readsKeys(): Promise<boolean>;
  signal(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Ends the foreground program by asking ever less nicely.
 *
 * @returns false when even SIGKILL did not bring the prompt back: the shell itself is busy, or something holds on.
 */
export async function stopForeground(deps: StopDeps, patience: StopPatience): Promise<boolean> {
  const steps = (await deps.readsKeys()) ? interactive(deps, patience) : lineByLine(deps, patience);
  for (const [ask, ms] of steps) {
    await ask();
    if (await deps.idleWithin(ms)) return true;
  }
  return false;
}

type Step = readonly [ask: () => void | Promise<void>, waitMs: number];

/** @see celery 5.7.0 apps/worker.py: the first SIGINT is a warm shutdown, the second a cold one. */
function lineByLine(deps: StopDeps, { warmMs, coldMs }: StopPatience): Step[] {
  return [
    [() => deps.interrupt(), warmMs],
    [() => deps.interrupt(), coldMs],
    [() => deps.signal("SIGKILL"), coldMs],
  ];
}

/** An editor or a REPL takes Ctrl-C as a key. */
function interactive(deps: StopDeps, { interactiveMs, coldMs }: StopPatience): Step[] {
  return [
    [() => deps.interrupt(), interactiveMs],
    [() => deps.signal("SIGTERM"), interactiveMs],
    [() => deps.signal("SIGKILL"), coldMs],
  ];
}
