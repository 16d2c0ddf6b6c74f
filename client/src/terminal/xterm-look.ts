import type { ITerminalOptions, ITheme } from "@xterm/xterm";

const ANSI = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
  "brightBlack",
  "brightRed",
  "brightGreen",
  "brightYellow",
  "brightBlue",
  "brightMagenta",
  "brightCyan",
  "brightWhite",
] as const;

/** The page's tokens as xterm wants them; read again when the theme changes. */
export function readTheme(element: Element): ITheme {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    background: token("--term-bg"),
    foreground: token("--term-fg"),
    cursor: token("--term-fg"),
    cursorAccent: token("--term-bg"),
    selectionBackground: token("--selection"),
    selectionInactiveBackground: token("--selection"),
    scrollbarSliderBackground: token("--scrollbar"),
    scrollbarSliderHoverBackground: token("--scrollbar-hover"),
    scrollbarSliderActiveBackground: token("--scrollbar-hover"),
    ...Object.fromEntries(ANSI.map((name, index) => [name, token(`--ansi-${index}`)])),
  };
}

export function screenOptions(element: Element): ITerminalOptions {
  return {
    theme: readTheme(element),
    fontFamily: getComputedStyle(element).getPropertyValue("--font-mono").trim(),
    fontSize: 13,
    lineHeight: 1.25,
    scrollback: 2000,
    minimumContrastRatio: 4.5,
    cursorBlink: false,
    cursorInactiveStyle: "outline",
    macOptionIsMeta: true,
    rightClickSelectsWord: false,
    allowProposedApi: true,
  };
}
