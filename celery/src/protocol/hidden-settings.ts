import { maskUrl } from "./connection-url.ts";

const MASK = "********";

/** Whether a setting of this name may hold a secret. @see celery 5.7.0 app/utils.py, `HIDDEN_SETTINGS` */
export function isSecret(name: string): boolean {
  return /API|TOKEN|KEY|SECRET|PASS|SIGNATURE|DATABASE/i.test(name);
}

/**
 * Settings as others may see them: secrets are named and not shown, however deep they lie, and URLs lose their passwords and options.
 *
 * @param settings plain JSON.
 * @see celery 5.7.0 app/utils.py, `filter_hidden_settings`
 */
export function hideSecrets(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, hide(name, value)]));
}

function hide(name: string, value: unknown): unknown {
  if (Array.isArray(value) && !isSecret(name)) return value.map((item) => hide(name, item));
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return hideSecrets(value as Record<string, unknown>);
  if (isSecret(name)) return MASK;
  return typeof value === "string" && /url|backend/i.test(name) ? maskUrl(value) : value;
}
