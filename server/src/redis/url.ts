/** A Redis URL without its password, for eyes. Text that is no URL is shown as it is, it holds no password. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.password === "") return url;
  parsed.password = "";
  const user = parsed.username === "" ? "" : `${parsed.username}:`;
  parsed.username = "";
  return parsed.href.replace("://", `://${user === "" ? ":" : user}**@`);
}
