/** The words after a fence's language: `run=worker restart until="ready"`. A flag's value is true. */
export type FenceAttributes = ReadonlyMap<string, string | true>;

export interface FenceInfo {
  readonly lang: string;
  readonly attributes: FenceAttributes;
  /** What could not be read, for the linter. */
  readonly problems: readonly string[];
}

const ATTRIBUTE = /\s+([A-Za-z-]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)/y;

/**
 * Reads a fence's info string. A quoted value may hold spaces; `\"` is a quote in it, and every other backslash stays
 * as it is, so that patterns need no second escaping.
 */
export function parseFenceInfo(info: string): FenceInfo {
  const lang = /^\S*/.exec(info.trim())?.[0] ?? "";
  const rest = info.trim().slice(lang.length);
  const attributes = new Map<string, string | true>();
  const problems: string[] = [];
  ATTRIBUTE.lastIndex = 0;
  let end = 0;
  for (let match = ATTRIBUTE.exec(rest); match !== null; match = ATTRIBUTE.exec(rest)) {
    end = ATTRIBUTE.lastIndex;
    const [, name = "", value] = match;
    if (attributes.has(name)) problems.push(`the attribute "${name}" stands twice`);
    attributes.set(name, value === undefined ? true : unquote(value));
  }
  const unread = rest.slice(end).trim();
  if (unread !== "") problems.push(`could not read "${unread}" after the fence's language`);
  return { lang, attributes, problems };
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll('\\"', '"') : value;
}

/** `10s`, `2m` or plain seconds; undefined for anything else. */
export function parseSeconds(text: string): number | undefined {
  const match = /^(\d{1,4}(?:\.\d)?)(s|m)?$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]) * (match[2] === "m" ? 60 : 1);
  return seconds > 0 ? seconds : undefined;
}
