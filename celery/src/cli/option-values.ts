import { UsageError } from "./command.ts";
import type { OptionSpec, ParsedOptions } from "./options.ts";

/** Reads the values of one command's options; every fault is a `UsageError` in click's words. */
export class OptionValues {
  readonly #specs: readonly OptionSpec[];
  readonly #parsed: ParsedOptions;

  constructor(specs: readonly OptionSpec[], parsed: ParsedOptions) {
    this.#specs = specs;
    this.#parsed = parsed;
  }

  flag(name: string): boolean {
    return this.#parsed.values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#parsed.values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** `a,b` → `["a", "b"]`. */
  list(name: string): readonly string[] | undefined {
    return this.text(name)
      ?.split(",")
      .map((item) => item.trim())
      .filter(Boolean);
  }

  number(name: string, rules: { readonly min: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) throw this.fault(name, `'${text}' is not a number.`);
    if (value < rules.min) throw this.fault(name, `${text} is less than ${rules.min}.`);
    return value;
  }

  /** ISO 8601, e.g. `2026-11-21T10:00:00+01:00`. */
  moment(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined || isMoment(text)) return text;
    throw this.fault(name, `'${text}' is not a date and time as in 2026-11-21T10:00:00Z.`);
  }

  secondsOrMoment(name: string): number | string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
    if (isMoment(text)) return text;
    throw this.fault(
      name,
      `'${text}' is neither a number of seconds nor a date and time as in 2026-11-21T10:00:00Z.`,
    );
  }

  jsonArray(name: string): readonly unknown[] {
    const value = this.#json(name, "an array", `-a '[2, 3]'`) ?? [];
    if (Array.isArray(value)) return value as readonly unknown[];
    throw this.fault(name, `${this.text(name)} is not a JSON array. Write it like -a '[2, 3]'.`);
  }

  jsonObject(name: string): Readonly<Record<string, unknown>> {
    const value = this.#json(name, "an object", `-k '{"x": 2}'`) ?? {};
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw this.fault(name, `${this.text(name)} is not a JSON object. Write it like -k '{"x": 2}'.`);
  }

  fault(name: string, what: string): UsageError {
    const spec = this.#specs.find((option) => option.name === name);
    const names = [spec?.short && `'-${spec.short}'`, `'--${name}'`].filter(Boolean).join(" / ");
    return new UsageError(`Invalid value for ${names}: ${what}`);
  }

  #json(name: string, kind: string, example: string): unknown {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw this.fault(name, `${text} is not JSON. It must be ${kind}, quoted for the shell: ${example}`);
    }
  }
}

function isMoment(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text));
}

/** The one positional argument of a command. */
export function requiredArgument(parsed: ParsedOptions, name: string): string {
  const value = parsed.positionals[0];
  if (value === undefined) throw new UsageError(`Missing argument '${name}'.`);
  return value;
}

export function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}
