import { maskUrl } from "../protocol/connection-url.ts";
import { ImproperlyConfigured, OperationalError } from "../protocol/errors.ts";

/**
 * - `unreachable`: no connection could be made; the command was not sent.
 * - `lost`: the connection broke, or stayed silent for too long; the command may have been carried out.
 * - `refused`: Redis answered with an error; the command was not carried out.
 */
export type FaultKind = "unreachable" | "lost" | "refused";

/** An `OperationalError` that knows whether the command may have had an effect. */
export class RedisFault extends OperationalError {
  readonly kind: FaultKind;
  /** First word of Redis's error reply (`OOM`, `NOSCRIPT`, `WRONGTYPE`), else empty. */
  readonly replyCode: string;

  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "OperationalError";
    this.kind = kind;
    this.replyCode = kind === "refused" ? (/^[A-Z]+/.exec(message)?.[0] ?? "") : "";
  }
}

/**
 * What ioredis rejected with, in our words.
 *
 * @param reason why the connection ended, where that is known: ioredis only says that it is closed.
 */
export function toFault(error: unknown, url: string, reason?: Error): RedisFault {
  if (error instanceof RedisFault) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  if (thrown.name === "ReplyError") return refusal(thrown, url);
  const cause = reason ?? thrown;
  return new RedisFault(
    "lost",
    `The connection to Redis at ${maskUrl(url)} was lost: ${cause.message}`,
    cause,
  );
}

export function unreachable(error: unknown, url: string): RedisFault {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (cause.name === "ReplyError") return refusal(cause, url);
  return new RedisFault(
    "unreachable",
    `Cannot connect to Redis at ${maskUrl(url)}: ${describe(cause)}. ${advise(cause)}`,
    cause,
  );
}

function refusal(cause: Error, url: string): RedisFault {
  const hint = hintFor(cause.message);
  return new RedisFault(
    "refused",
    hint === undefined ? cause.message : `${cause.message} (${maskUrl(url)}: ${hint})`,
    cause,
  );
}

const HINTS: Readonly<Record<string, string>> = {
  NOAUTH: "the server wants a password: redis://:password@host:port/db",
  WRONGPASS: "the password in the URL is not the server's, or the user is not known there",
  OOM: "the server's memory limit is reached; workers can still drain the queues",
  WRONGTYPE: "a key of this name exists and is no queue or result",
};

function hintFor(message: string): string | undefined {
  // What a long command gets instead of NOAUTH.
  if (/unauthenticated/.test(message)) return HINTS["NOAUTH"];
  if (/DB index is out of range/.test(message))
    return "the server has fewer databases: end the URL with a smaller number, or raise `databases` in redis.conf";
  return HINTS[/^[A-Z]+/.exec(message)?.[0] ?? ""];
}

/** The next step, where connecting failed. */
function advise(cause: Error): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  if (cause instanceof ImproperlyConfigured) return "Correct the option.";
  if (/^ERR_SSL|^EPROTO/.test(code)) return "Does it speak TLS there? Then rediss://, else redis://.";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "The certificate is for another name; ssl_check_hostname=false accepts that.";
  if (/certificate/i.test(message) || code.includes("CERT"))
    return "Name the authority that signed it with ssl_ca_certs=<file>, or give up checking with ssl_cert_reqs=none.";
  return "Is it running there?";
}

function describe(cause: Error): string {
  const inner = cause instanceof AggregateError ? (cause.errors[0] as Error | undefined) : undefined;
  return inner?.message ?? cause.message;
}
