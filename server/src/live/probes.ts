import type { Facts, HttpFacts, Json } from "../checks/facts.ts";

/** What has to be asked for. Each answers within seconds or rejects. */
export interface Questions {
  get(key: string): Promise<string | null>;
  llen(key: string): Promise<number | null>;
  exists(key: string): Promise<boolean>;
  keys(pattern: string): Promise<number>;
  http(url: string): Promise<HttpFacts>;
}

type Kind = keyof Questions;

interface Probe {
  readonly kind: Kind;
  readonly subject: string;
  /** Monotonic milliseconds. */
  readonly wantedAt: number;
  readonly askedAt: number;
  readonly answer: Json | HttpFacts | undefined;
}

/** A question that no check asked for this long is not asked any more. */
const FORGET_MS = 10_000;
const MAX_PROBES = 500;
const EVERY_MS: Readonly<Record<Kind, number>> = { get: 200, llen: 200, exists: 200, keys: 900, http: 1000 };

/**
 * Remembers what checks want to know and asks for it again and again, so that reading a fact never waits. The first
 * read of a fact gives nothing; the answer comes with the next round.
 */
export class Probes {
  readonly #questions: Questions;
  readonly #monotonic: () => number;
  #probes = new Map<string, Probe>();

  constructor(questions: Questions, monotonic: () => number) {
    this.#questions = questions;
    this.#monotonic = monotonic;
  }

  readonly redis: Facts["redis"] = {
    get: (key) => this.#want("get", key) as string | null,
    llen: (key) => this.#want("llen", key) as number | null,
    exists: (key) => this.#want("exists", key) as boolean | null,
    keys: (pattern) => this.#want("keys", pattern) as number | null,
  };

  http(url: string): HttpFacts {
    return (this.#want("http", url) as HttpFacts | null) ?? { status: null, json: null };
  }

  /**
   * Asks everything that is due.
   *
   * @param now asks everything, due or not.
   * @returns whether an answer is another than before.
   */
  async refresh(now = false): Promise<boolean> {
    const due = [...this.#probes.values()].filter((probe) => this.#isDue(probe, now));
    const news = await Promise.all(due.map((probe) => this.#ask(probe)));
    return news.includes(true);
  }

  clear(): void {
    this.#probes = new Map();
  }

  #want(kind: Kind, subject: string): Json | HttpFacts {
    const key = `${kind} ${subject}`;
    const known = this.#probes.get(key);
    if (known === undefined && this.#probes.size >= MAX_PROBES) return null;
    const probe = known ?? { kind, subject, askedAt: Number.NEGATIVE_INFINITY, answer: undefined };
    this.#probes.set(key, { ...probe, wantedAt: this.#monotonic() });
    return probe.answer ?? null;
  }

  #isDue(probe: Probe, now: boolean): boolean {
    const time = this.#monotonic();
    if (time - probe.wantedAt > FORGET_MS) {
      this.#probes.delete(`${probe.kind} ${probe.subject}`);
      return false;
    }
    return now || time - probe.askedAt >= EVERY_MS[probe.kind];
  }

  async #ask({ kind, subject }: Probe): Promise<boolean> {
    const key = `${kind} ${subject}`;
    this.#update(key, { askedAt: this.#monotonic() });
    const answer = await this.#questions[kind](subject).catch(() => null); // Redis is away; the page says so elsewhere.
    const before = this.#probes.get(key)?.answer;
    this.#update(key, { answer });
    return JSON.stringify(before ?? null) !== JSON.stringify(answer);
  }

  #update(key: string, change: Partial<Probe>): void {
    const probe = this.#probes.get(key);
    if (probe !== undefined) this.#probes.set(key, { ...probe, ...change });
  }
}
