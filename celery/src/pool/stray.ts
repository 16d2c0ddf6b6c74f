/** What to say about a rejected promise that nobody waited for. */
export function describeStray(reason: unknown): string {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  return `A promise was rejected and nobody waited for it (a missing await?): ${text}`;
}
