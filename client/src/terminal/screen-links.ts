import type { ILink, ILinkProvider, Terminal } from "@xterm/xterm";

/** A place in a file as compilers and stack traces print it: `tasks.ts:12` or `tasks.ts:12:3`. */
const PLACE = /([\w.-]+\.(?:ts|mts|js|mjs|py|json)):(\d+)(?::\d+)?/g;

/** Makes places in files clickable, when `isKnown` knows the file. */
export function fileLinks(
  terminal: Terminal,
  isKnown: (path: string) => boolean,
  open: (path: string, line: number) => void,
): ILinkProvider {
  return {
    provideLinks(row, callback) {
      const text = terminal.buffer.active.getLine(row - 1)?.translateToString(true) ?? "";
      const links = [...text.matchAll(PLACE)].flatMap((match): ILink[] => {
        const [whole, path = "", line = "1"] = match;
        if (!isKnown(path)) return [];
        const from = match.index + 1;
        return [
          {
            text: whole,
            range: { start: { x: from, y: row }, end: { x: from + whole.length - 1, y: row } },
            activate: () => open(path, Number(line)),
          },
        ];
      });
      callback(links.length === 0 ? undefined : links);
    },
  };
}

/** Opens web addresses in a new tab; anything else that a program prints as a link stays text. */
export function openWebLink(address: string): void {
  if (/^https?:\/\//i.test(address)) window.open(address, "_blank", "noopener");
}
