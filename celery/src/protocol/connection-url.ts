/**
 * URLs of servers as Celery's users write them, as text: several may stand in one setting, options may follow.
 *
 * Everything that is known about a connection travels in its URL: whoever has the URL (a thread, a monitor, a child) reaches the same
 * server in the same way, with the same prefix before its keys.
 */

/** `a;b` is a list: servers that stand for one another, or the Sentinels that know where the server is. */
export function splitUrls(text: string): readonly string[] {
  return text.split(/;(?=[a-z][a-z+]*:\/\/)/i);
}

/** What may stand behind a setting's name; `null` and `undefined` are as good as not there. */
export type UrlOption = string | number | boolean | object | null | undefined;

/**
 * The URL with options added as `?name=value`, objects as JSON. What the URL says itself wins.
 *
 * @param secure makes `redis://` into `rediss://`.
 */
export function withUrlOptions(
  text: string,
  options: Readonly<Record<string, UrlOption>>,
  secure = false,
): string {
  const urls = splitUrls(text).map((url) => (secure ? url.replace(/^redis:/i, "rediss:") : url));
  const first = urls[0] ?? text;
  const given = new Set(urls.flatMap((url) => [...queryOf(url).keys()]));
  const added = Object.entries(options).flatMap(([name, value]) =>
    value === null || value === undefined || given.has(name) ? [] : [`${name}=${encode(value)}`],
  );
  if (added.length === 0) return urls.join(";");
  return [`${first}${first.includes("?") ? "&" : "?"}${added.join("&")}`, ...urls.slice(1)].join(";");
}

/** The options of one URL. */
export function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  return new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
}

/** For messages and logs: passwords replaced, options left out except the database, as kombu shows it. */
export function maskUrl(text: string): string {
  return splitUrls(text).map(maskOne).join(";");
}

function maskOne(url: string): string {
  const masked = url.replace(/^([a-z+]+:\/\/[^/@]*?:)[^/]*@/i, "$1**@");
  const at = masked.indexOf("?");
  if (at === -1) return masked;
  const shown = ["virtual_host", "db"].flatMap((name) => {
    const value = queryOf(masked).get(name);
    return value === null ? [] : [`${name}=${value}`];
  });
  return masked.slice(0, at) + (shown.length > 0 ? `?${shown.join("&")}` : "");
}

function encode(value: string | number | boolean | object): string {
  return encodeURIComponent(typeof value === "object" ? JSON.stringify(value) : String(value));
}
