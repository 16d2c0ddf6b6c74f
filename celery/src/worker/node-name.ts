/** Celery's default name of a worker. */
const DEFAULT_NAME = "celery";

/**
 * A node's full name. `%h` is the host name, `%n` its first part, `%d` the rest; without an `@` what is given is the
 * host part.
 *
 * @see celery 5.7.0 utils/nodenames.py, `default_nodename` and `host_format`
 */
export function expandNodeName(
  given: string | undefined,
  hostname: string,
  defaultName: string = DEFAULT_NAME,
): string {
  const at = given?.indexOf("@") ?? -1;
  const name = given !== undefined && at >= 0 ? given.slice(0, at) : "";
  const host = given === undefined ? "" : at >= 0 ? given.slice(at + 1) : given;
  return fill(`${name || defaultName}@${host || hostname}`, hostname);
}

/**
 * A file name with a node's names in it. There is one file for all processes of a worker, so that the place for a pool process's
 * number stays empty.
 *
 * @see celery 5.7.0 utils/nodenames.py, `node_format`
 */
export function expandFileName(pattern: string, nodeName: string): string {
  const [name = "", host = ""] = nodeName.split("@", 2);
  const [, domain = ""] = /^[^.]*\.(.*)$/.exec(host) ?? [];
  const values: Readonly<Record<string, string>> = {
    n: name,
    h: host,
    d: domain,
    p: nodeName,
    i: "",
    I: "",
    "%": "%",
  };
  return pattern.replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole);
}

function fill(text: string, hostname: string): string {
  const dot = hostname.indexOf(".");
  const short = dot < 0 ? hostname : hostname.slice(0, dot);
  const domain = dot < 0 ? "" : hostname.slice(dot + 1);
  const values: Readonly<Record<string, string>> = { h: hostname, n: short, d: domain, "%": "%" };
  return text.replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole);
}
