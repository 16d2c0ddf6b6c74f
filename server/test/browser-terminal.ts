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

function rowOf(buffer: headless.IBuffer, y: number): string {
  const line = buffer.getLine(y);
  const cells = Array.from({ length: line?.length ?? 0 }, (_, x) => {
    const cell = line?.getCell(x);
    if (cell === undefined) return "";
    const flags = [cell.isBold(), cell.isDim(), cell.isInverse(), cell.isUnderline(), cell.isItalic()];
    const style = `${cell.getFgColorMode()}:${cell.getFgColor()}/${cell.getBgColorMode()}:${cell.getBgColor()}/${flags.map(Number).join("")}`;
    const plain = style === "0:-1/0:-1/00000" || style === "0:0/0:0/00000";
    const chars = cell.getChars() === "" && cell.getWidth() === 1 ? " " : cell.getChars();
    return plain ? chars : `${chars}<${style}>`;
  });
  return cells.join("").trimEnd();
}
