import { createHash, timingSafeEqual } from "node:crypto";

/** What the gate looks at: one HTTP request or upgrade, as Node parsed it. */
export interface GateRequest {
  readonly method: string;
  /** The raw request target. */
  readonly url: string;
  readonly upgrade: boolean;
  /** Lower-case names; a header that came twice is joined or dropped by Node, so `Host` is counted in `rawHeaders`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
}

export interface GateRules {
  /** Exact values of `Host` that are this server. */
  readonly hosts: ReadonlySet<string>;
  /** Exact values of `Origin` that are this server's own pages. */
  readonly origins: ReadonlySet<string>;
  /** Opens the page: in the start address, or as a bearer token. */
  readonly token: string;
  readonly cookieName: string;
  /** What the page's cookie holds; another secret than the token, which is printed in a terminal. */
  readonly cookieValue: string;
}

/**
 * - `pass`: the request is the learner's own page or tool.
 * - `exchange`: the start address with the right token; set the cookie and go to `location`.
 * - `refuse`: nothing behind the gate may see the request. `message` is for a person.
 */
export type Verdict =
  | { readonly answer: "pass" }
  | { readonly answer: "exchange"; readonly location: string }
  | { readonly answer: "refuse"; readonly status: 400 | 401 | 403 | 405; readonly message: string };

const PASS: Verdict = { answer: "pass" };

const NEED_ADDRESS =
  "The playground opens with the whole address that it printed when it started, up to the end of ?token=… " +
  "Go to the terminal where you started it and open that address.";

const OLD_ADDRESS =
  "This address is from an earlier start: every start makes a new token. " +
  "Go to the terminal where the playground runs and open the address it printed last.";

/**
 * The one decision about every request and every upgrade, made before any routing. A route cannot opt out.
 *
 * First who is meant (`Host`, against DNS rebinding), then who asks (`Origin` and Fetch Metadata, against other pages in
 * the learner's browser), then the secret (against everybody else on the machine).
 */
export function decide(request: GateRequest, rules: GateRules): Verdict {
  return (
    checkTarget(request) ??
    checkHost(request, rules) ??
    checkOrigin(request, rules) ??
    checkSecret(request, rules)
  );
}

function checkTarget({ method, url, upgrade }: GateRequest): Verdict | undefined {
  // An absolute target or `//host` is how proxies are asked; this is none.
  if (!url.startsWith("/") || url.startsWith("//")) return refuse(400, "This server is no proxy.");
  if (method === "GET" || (method === "HEAD" && !upgrade)) return undefined;
  return refuse(
    405,
    "This server answers GET; everything that changes something goes through its WebSocket.",
  );
}

function checkHost({ headers, rawHeaders }: GateRequest, rules: GateRules): Verdict | undefined {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host").length;
  const host = headers["host"];
  if (count === 1 && typeof host === "string" && rules.hosts.has(host)) return undefined;
  return refuse(
    403,
    "This server answers only at its own address on this machine. Open the address that it printed.",
  );
}

function checkOrigin({ headers, upgrade }: GateRequest, rules: GateRules): Verdict | undefined {
  const origin = headers["origin"];
  if (origin !== undefined && !(typeof origin === "string" && rules.origins.has(origin))) return foreign();
  if (upgrade && origin === undefined && headers["authorization"] === undefined) return foreign();
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return undefined;
  // Following a link to the start address from elsewhere is fine: what it opens is a page of its own.
  const isVisit = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return isVisit && !upgrade ? undefined : foreign();
}

function checkSecret({ url, headers, upgrade }: GateRequest, rules: GateRules): Verdict {
  const bearer = /^Bearer (\S+)$/.exec(String(headers["authorization"] ?? ""))?.[1];
  if (bearer !== undefined) return isSame(bearer, rules.token) ? PASS : refuse(401, OLD_ADDRESS);
  const query = url.indexOf("?");
  const parameters = new URLSearchParams(query < 0 ? "" : url.slice(query));
  const token = parameters.get("token");
  if (token !== null && !upgrade && url.startsWith("/?")) {
    parameters.delete("token");
    const rest = parameters.toString();
    return isSame(token, rules.token)
      ? { answer: "exchange", location: rest === "" ? "/" : `/?${rest}` }
      : refuse(401, OLD_ADDRESS);
  }
  const cookies = readCookies(String(headers["cookie"] ?? ""), rules.cookieName);
  if (cookies.some((value) => isSame(value, rules.cookieValue))) return PASS;
  return refuse(401, cookies.length > 0 ? OLD_ADDRESS : NEED_ADDRESS);
}

function foreign(): Verdict {
  return refuse(
    403,
    "Another page or program asked. Only the playground's own page may talk to this server.",
  );
}

function refuse(status: 400 | 401 | 403 | 405, message: string): Verdict {
  return { answer: "refuse", status, message };
}

/** Digests have one length whatever was sent, so the comparison tells nothing by its time. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** A browser may send a name twice, from two paths; any of them may be ours. */
function readCookies(header: string, name: string): readonly string[] {
  return header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

export interface GateSecrets {
  readonly token: string;
  readonly cookieValue: string;
}

/**
 * The rules for a server that listens at `host:port`. Cookies are shared by all ports of an address, so the cookie's name
 * holds the port.
 *
 * @param host what was bound. An address of the network is one more name of this server; "all addresses" is none.
 */
export function makeRules(host: string, port: number, secrets: GateSecrets): GateRules {
  const names = ["127.0.0.1", "localhost"];
  if (host !== "0.0.0.0" && host !== "::" && !names.includes(host))
    names.push(host.includes(":") ? `[${host}]` : host);
  // Browsers leave out the port that http has anyway.
  const hosts = names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
  return {
    ...secrets,
    hosts: new Set(hosts),
    origins: new Set(hosts.map((name) => `http://${name}`)),
    cookieName: `playground_${port}`,
  };
}
