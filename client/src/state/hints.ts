const OFFER_AFTER_MS = 90_000;
const OFFER_AFTER_REDS = 3;

/** How long the learner has been at one check, and how often a try at it ended red. */
export interface HintWatch {
  /** Id of the first required check that is red; null when all are green. */
  readonly check: string | null;
  /** Epoch milliseconds since when. */
  readonly since: number;
  readonly reds: number;
}

export const NO_HINT_WATCH: HintWatch = { check: null, since: 0, reds: 0 };

/** The watch after the checks came in: it starts anew when another check is the current one. */
export function watchCheck(watch: HintWatch, check: string | null, now: number): HintWatch {
  return watch.check === check ? watch : { check, since: now, reds: 0 };
}

/** A step ended, or the learner asked for the checks, and the current check stayed red. */
export function countRed(watch: HintWatch): HintWatch {
  return watch.check === null ? watch : { ...watch, reds: watch.reds + 1 };
}

/** Whether the hints of this check should step forward by themselves. */
export function isHintOffered(watch: HintWatch, check: string | undefined, now: number): boolean {
  if (check === undefined || watch.check !== check) return false;
  return watch.reds >= OFFER_AFTER_REDS || now - watch.since >= OFFER_AFTER_MS;
}
