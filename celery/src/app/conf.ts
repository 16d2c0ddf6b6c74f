import type * as z from "zod";
import { ImproperlyConfigured } from "../protocol/errors.ts";
import { confSettings } from "./conf-schema.ts";
import type { ConfInput, ConfKey, ConfValues } from "./conf-values.ts";
import { explainUnknown } from "./setting-names.ts";

/**
 * An app's configuration: Celery's names, units (seconds) and defaults. Assigning or updating checks at once;
 * a name that does not exist or a value that cannot be is an `ImproperlyConfigured` that quotes it.
 */
export type Conf = ConfValues & {
  /** Sets several at once; all of them are checked first, and every fault is reported. */
  update(values: ConfInput): void;
  /** Grows with every change, for whoever caches what is derived from the settings. */
  readonly revision: number;
};

/** A configuration with the defaults and what `initial` says. @throws ImproperlyConfigured */
export function makeConf(initial: ConfInput = {}): Conf {
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(confSettings).map(([key, one]) => [key, one.initial()]),
  );
  let revision = 0;
  const update = (changes: ConfInput): void => {
    Object.assign(values, checked(changes));
    revision += 1;
  };
  update(initial);
  return new Proxy(values, {
    get: (_target, key) => {
      if (key === "update") return update;
      if (key === "revision") return revision;
      if (typeof key === "symbol" || key in values || !looksLikeSetting(key)) return values[key as string];
      throw new ImproperlyConfigured(explainUnknown(key));
    },
    set: (_target, key, value) => {
      update({ [String(key)]: value });
      return true;
    },
    deleteProperty: (_target, key) => {
      throw new ImproperlyConfigured(`${String(key)} cannot be deleted; set it to another value.`);
    },
  }) as unknown as Conf;
}

/** Only settings have underscores: `then`, `toJSON` and the like are asked for by others. */
function looksLikeSetting(key: string): boolean {
  return /^[a-z]+(_[a-z]+)+$/.test(key);
}

function checked(changes: ConfInput): Partial<ConfValues> {
  const faults: string[] = [];
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(changes)) {
    if (!Object.hasOwn(confSettings, key)) {
      faults.push(explainUnknown(key));
      continue;
    }
    const one = confSettings[key as ConfKey];
    if (value === undefined) {
      result[key] = one.initial();
      continue;
    }
    const parsed = one.schema().safeParse(value);
    if (parsed.success) result[key] = parsed.data;
    else faults.push(...parsed.error.issues.map((issue) => explainIssue(key, value, issue)));
  }
  if (faults.length > 0) throw new ImproperlyConfigured(faults.join("\n"));
  return result as Partial<ConfValues>;
}

function explainIssue(key: string, value: unknown, issue: z.core.$ZodIssue): string {
  const path = [key, ...issue.path.map(String)].join(".");
  const bad = issue.path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  );
  return `${path} = ${quote(bad)}: ${issue.message}`;
}

function quote(value: unknown): string {
  if (typeof value === "function") return "a function";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
