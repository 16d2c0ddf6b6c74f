/** How to talk to a server, as far as its URL says. Durations in milliseconds; what is not said is `undefined`. */
export interface LinkOptions {
  /** `global_keyprefix`: before every key and channel. */
  readonly keyPrefix: string;
  /** What fanout channels begin with; `{db}` stands for the database. `undefined`: kombu's default. */
  readonly fanoutPrefix: string | undefined;
  /** Whether a fanout message's routing key is part of its channel. */
  readonly fanoutPatterns: boolean;
  readonly connectTimeoutMs: number | undefined;
  /** `socket_timeout`: silence after which a connection that owes an answer counts as broken. */
  readonly replyTimeoutMs: number | undefined;
  /** `health_check_interval`: 0 for never. */
  readonly pingIntervalMs: number | undefined;
  readonly keepAlive: boolean;
  readonly clientName: string | undefined;
  /** `undefined`: no TLS. */
  readonly tls: TlsOptions | undefined;
  readonly sentinel: SentinelOptions | undefined;
}

/** Files are named, not held: they may be renewed while we run. */
export interface TlsOptions {
  /** `ssl_cert_reqs` other than `none`. */
  readonly verify: boolean;
  readonly checkHostname: boolean;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
}

export interface SentinelOptions {
  readonly masterName: string;
  /** A Sentinel that knows fewer others is not believed. */
  readonly minOtherSentinels: number;
  /** The Sentinels' own; those of the URL are the server's. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** They are reached by TLS too, with the same certificates. */
  readonly tls: boolean;
}

type Refuse = (reason: string) => Error;

/** Names of redis-py's and kombu's options; those of the last row are understood and make no difference here. */
const KNOWN: ReadonlySet<string> = new Set(
  `db virtual_host global_keyprefix fanout_prefix fanout_patterns socket_timeout socket_connect_timeout socket_keepalive
  health_check_interval client_name ssl_cert_reqs ssl_ca_certs ssl_certfile ssl_keyfile ssl_password ssl_check_hostname
  master_name min_other_sentinels sentinel_kwargs
  max_connections retry_on_timeout retry_on_error socket_keepalive_options protocol`.split(/\s+/),
);

/** Blocking calls last up to a second: a shorter limit would break them. */
const SHORTEST_REPLY_MS = 2000;

/**
 * @param queries of each URL of the list; the first that names an option decides.
 * @throws what `refuse` makes.
 */
export function readLinkOptions(
  queries: readonly URLSearchParams[],
  { tls, isSentinel }: { readonly tls: boolean; readonly isSentinel: boolean },
  refuse: Refuse,
): LinkOptions {
  const values = new Map<string, string>();
  for (const [name, value] of queries.flatMap((query) => [...query])) {
    if (!KNOWN.has(name)) throw refuse(`there is no option "${name}". Known: ${[...KNOWN].join(", ")}.`);
    if (!values.has(name)) values.set(name, value);
  }
  const ssl = [...values.keys()].find((name) => name.startsWith("ssl_"));
  if (ssl !== undefined && !tls && !isSentinel)
    throw refuse(`${ssl} is for TLS: write rediss:// for redis://.`);
  const replyMs = readMs(values, "socket_timeout", refuse);
  return {
    keyPrefix: values.get("global_keyprefix") ?? "",
    fanoutPrefix: readFanoutPrefix(values.get("fanout_prefix")),
    fanoutPatterns: readBoolean(values, "fanout_patterns", refuse) ?? true,
    connectTimeoutMs: readMs(values, "socket_connect_timeout", refuse),
    replyTimeoutMs: replyMs === undefined ? undefined : Math.max(SHORTEST_REPLY_MS, replyMs),
    pingIntervalMs: readMs(values, "health_check_interval", refuse),
    keepAlive: readBoolean(values, "socket_keepalive", refuse) ?? true,
    clientName: values.get("client_name"),
    tls: tls || ssl !== undefined ? readTls(values, refuse) : undefined,
    sentinel: isSentinel ? readSentinel(values, refuse) : undefined,
  };
}

/** `True` and `False` as Python writes them, or the text itself. */
function readFanoutPrefix(value: string | undefined): string | undefined {
  if (value === undefined || /^true$/i.test(value)) return undefined;
  return /^false$/i.test(value) ? "" : value;
}

/** @see kombu 5.7.0 utils/url.py, `parse_ssl_cert_reqs`; for a client "optional" is as good as "required" */
function readTls(values: ReadonlyMap<string, string>, refuse: Refuse): TlsOptions {
  const requirement = (values.get("ssl_cert_reqs") ?? "required").replace(/^CERT_/i, "").toLowerCase();
  if (!["required", "optional", "none"].includes(requirement)) {
    throw refuse("ssl_cert_reqs must be required, optional or none (or CERT_REQUIRED, …).");
  }
  return {
    verify: requirement !== "none",
    checkHostname: readBoolean(values, "ssl_check_hostname", refuse) ?? true,
    caFile: values.get("ssl_ca_certs"),
    certFile: values.get("ssl_certfile"),
    keyFile: values.get("ssl_keyfile"),
    keyPassword: values.get("ssl_password"),
  };
}

function readSentinel(values: ReadonlyMap<string, string>, refuse: Refuse): SentinelOptions {
  const masterName = values.get("master_name");
  if (masterName === undefined) {
    throw refuse(
      'which server do these Sentinels watch? Name it: broker_transport_options: { master_name: "mymaster" } ' +
        "(and result_backend_transport_options for results).",
    );
  }
  const kwargs = readObject(values.get("sentinel_kwargs") ?? "{}", refuse);
  const text = (name: string): string | undefined =>
    typeof kwargs[name] === "string" ? kwargs[name] : undefined;
  const others = Number(values.get("min_other_sentinels") ?? 0);
  if (!Number.isInteger(others) || others < 0) throw refuse("min_other_sentinels must be a whole number.");
  const [username, password] = [text("username"), text("password")];
  return { masterName, minOtherSentinels: others, username, password, tls: kwargs["ssl"] === true };
}

function readObject(text: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below, as for any other text that is no object
  }
  throw refuse('sentinel_kwargs must be an object, such as {"password": "…"}.');
}

function readMs(values: ReadonlyMap<string, string>, name: string, refuse: Refuse): number | undefined {
  const value = values.get(name);
  if (value === undefined || value === "" || /^none$/i.test(value)) return undefined;
  const seconds = Number(value);
  if (!Number.isFinite(seconds) || seconds < 0) throw refuse(`${name} must be a number of seconds.`);
  return Math.round(seconds * 1000);
}

/** @see redis-py connection.py, `to_bool` */
function readBoolean(values: ReadonlyMap<string, string>, name: string, refuse: Refuse): boolean | undefined {
  const value = values.get(name)?.toLowerCase();
  if (value === undefined || value === "" || value === "none") return undefined;
  if (["0", "f", "false", "n", "no"].includes(value)) return false;
  if (["1", "t", "true", "y", "yes"].includes(value)) return true;
  throw refuse(`${name} must be true or false.`);
}
