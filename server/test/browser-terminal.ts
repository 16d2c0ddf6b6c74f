import { Unicode11Addon } from "@xterm/addon-unicode11";
import headless from "@xterm/headless";
import type { Frame } from "../src/protocol/index.ts";

/** A terminal as a browser has one: frames go in, and what would be on the screen can be compared cell by cell. */
export class BrowserTerminal {
  readonly terminal: headless.Terminal;
  /** What the page would have sent back by itself. */
  readonly answers: string[] = [];
  readonly frames: Frame[] = [];

  constructor(cols = 80, rows = 24) {
    this.terminal = new headless.Terminal({ cols, rows, scrollback: 5000, allowProposedApi: true });
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.terminal.onData((data) => this.answers.push(data));
  }

  apply(frame: Frame, rendered: () => void = () => {}): void {
    this.frames.push(frame);
    if (frame.kind === "snapshot") this.terminal.write("", () => this.terminal.reset());
    this.terminal.write(frame.bytes, rendered);
  }

  /** Every cell of the last `rows` rows, with its style, when all that was applied is rendered; and the cursor. */
  async cells(rows: number = this.terminal.rows): Promise<string[]> {
    await this.settled();
    const buffer = this.terminal.buffer.active;
    const from = Math.max(0, buffer.length - rows);
    const lines = Array.from({ length: buffer.length - from }, (_, index) => rowOf(buffer, from + index));
    return [...lines, `cursor ${buffer.cursorX},${buffer.cursorY} in ${buffer.type}`];
  }

  settled(): Promise<void> {
    return new Promise((resolve) => this.terminal.write("", resolve));
  }
}

/** The text, with every change of style in angle brackets; empty cells are spaces, plain ones at the end are left out. */
function rowOf(buffer: headless.IBuffer, y: number): string {
  const line = buffer.getLine(y);
  let row = "";
  let style = "plain";
  let isWide = false;
  for (let x = 0; x < (line?.length ?? 0); x += 1) {
    const cell = line?.getCell(x);
    const isRightHalf = isWide && cell?.getWidth() === 0;
    isWide = cell?.getWidth() === 2;
    if (cell === undefined || isRightHalf) continue;
    const next = styleOf(cell);
    if (next !== style) row += `<${next}>`;
    row += cell.getChars() || " ";
    style = next;
  }
  return style === "plain" ? row.trimEnd() : row;
}

/** Of a cell without a character only what can be seen. */
function styleOf(cell: headless.IBufferCell): string {
  if (cell.isAttributeDefault()) return "plain";
  const empty = cell.getChars().trim() === "";
  const letters = {
    bold: cell.isBold(),
    dim: cell.isDim(),
    italic: cell.isItalic(),
    hidden: cell.isInvisible(),
  };
  const lines = { inverse: cell.isInverse(), strike: cell.isStrikethrough(), underline: cell.isUnderline() };
  const on = Object.entries({ ...(empty ? {} : letters), ...lines }).flatMap(([name, value]) =>
    value ? [name] : [],
  );
  const inked = !(empty && on.length === 0) && !cell.isFgDefault();
  const fg = inked ? [`fg ${cell.getFgColorMode() >> 24}:${cell.getFgColor()}`] : [];
  const bg = cell.isBgDefault() ? [] : [`bg ${cell.getBgColorMode() >> 24}:${cell.getBgColor()}`];
  return [...on, ...fg, ...bg].join(",") || "plain";
}
