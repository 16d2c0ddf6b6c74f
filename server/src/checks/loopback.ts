const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** Whether a URL is plain HTTP on this machine: the only thing that checks may ask. */
export function isLoopbackUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "http:" && LOOPBACK.includes(url.hostname) && url.username === "";
}
