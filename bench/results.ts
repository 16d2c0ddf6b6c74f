import type { Sample } from "./measure.ts";
import { type Summary, summarize } from "./statistics.ts";

/** Everything that was measured, by scenario, system and round. */
export class Results {
  readonly failures: Failure[] = [];
  readonly #samples = new Map<string, Map<string, Map<number, Sample>>>();

  add(scenario: string, system: string, round: number, sample: Sample): void {
    const systems = this.#samples.get(scenario) ?? new Map<string, Map<number, Sample>>();
    this.#samples.set(scenario, systems);
    const rounds = systems.get(system) ?? new Map<number, Sample>();
    systems.set(system, rounds.set(round, sample));
  }

  hasFailed(scenario: string, system: string): boolean {
    return this.failures.some((failure) => failure.scenario === scenario && failure.system === system);
  }

  /** `undefined` when it was not measured. */
  summary(scenario: string, system: string, metric: string): Summary | undefined {
    const values = this.#rounds(scenario, system).flatMap(([, sample]) => sample[metric] ?? []);
    return values.length === 0 ? undefined : summarize(values);
  }

  /**
   * One figure over another, round by round: what disturbed a round disturbed both. Of several systems the best one (by the
   * median) is compared with.
   */
  ratio(a: Figure, b: Figure): Summary | undefined {
    const other = this.#best(b);
    if (other === undefined) return undefined;
    const others = new Map(this.#rounds(b.scenario, other));
    const ratios = this.#rounds(a.scenario, a.systems[0] ?? "").flatMap(([round, sample]) => {
      const [over, under] = [sample[a.metric], others.get(round)?.[b.metric]];
      return over === undefined || under === undefined ? [] : [over / under];
    });
    return ratios.length === 0 ? undefined : summarize(ratios);
  }

  toJson(): Record<string, unknown> {
    const scenarios = [...this.#samples].map(([scenario, systems]) => {
      const rows = [...systems].map(([system, rounds]) => [system, [...rounds.values()]] as const);
      return [scenario, Object.fromEntries(rows)] as const;
    });
    return Object.fromEntries(scenarios);
  }

  #rounds(scenario: string, system: string): readonly (readonly [number, Sample])[] {
    return [...(this.#samples.get(scenario)?.get(system) ?? [])];
  }

  #best({ scenario, systems, metric, best }: Figure): string | undefined {
    const known = systems.flatMap((system) => {
      const summary = this.summary(scenario, system, metric);
      return summary ? [{ system, median: summary.median }] : [];
    });
    const sign = best === "least" ? 1 : -1;
    return known.sort((a, b) => sign * (a.median - b.median))[0]?.system;
  }
}

/** A measurement that gave nothing: the system hung, ended, or said something unexpected. */
export interface Failure {
  readonly scenario: string;
  readonly system: string;
  readonly round: number;
  readonly reason: string;
}

/** A metric of one system, or of the best of several. */
export interface Figure {
  readonly scenario: string;
  readonly systems: readonly string[];
  readonly metric: string;
  /** Which one is the best. Default `most`. */
  readonly best?: "most" | "least";
}
