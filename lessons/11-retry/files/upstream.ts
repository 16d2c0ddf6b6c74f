/** The other side does not answer now. Trying again later may help. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
}

/** A price service that is down for the first `refusals` attempts and then answers. */
export function askPrice(attempt: number, refusals: unknown): number {
  if (typeof refusals !== "number") throw new TypeError(`no number: ${JSON.stringify(refusals)}`);
  if (attempt <= refusals) throw new UpstreamError(`no connection on attempt ${attempt}`);
  return 42;
}
