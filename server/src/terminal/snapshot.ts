import type { IBuffer, IBufferCell, IBufferLine, Terminal } from "@xterm/headless";
import { sgrOf } from "./sgr.ts";

/**
 * A terminal's contents as the output that brings an empty terminal of the same size into the same state: cells with
 * their styles, wrapped lines, cursor, both screens, modes.
 *
 * Why not addon-serialize: 0.14 loses bold next to dim (both are switched off by `22`), takes the normal screen's
 * colours into the alternate one, and leaves out coloured rows without text.
 *
 * @param scrollback how many lines above the screen.
 */
export function snapshotOf(terminal: Terminal, scrollback: number): string {
  const { normal, alternate, active } = terminal.buffer;
  const { current, savedOn } = hiddenState(terminal);
  const drawn = drawBuffer(normal, scrollback);
  const screens =
    active === normal
      ? drawn + savedCursor(terminal, normal, savedOn.normal)
      : `${drawn}${place(terminal, normal, savedOn.normal)}${switchOn(savedOn.normal.sgr)}${ENTER_ALTERNATE}` +
        drawBuffer(alternate, 0) +
        savedCursor(terminal, alternate, savedOn.alternate);
  const { cursorX: x, cursorY: y } = active;
  return screens + place(terminal, active, { x, y }) + switchOn(current) + modesOf(terminal);
}

/** Saves cursor and style for the way back. The new screen is filled with that style's background, which is not wanted. */
const ENTER_ALTERNATE = "\x1b[?1049h\x1b[0m\x1b[2J\x1b[H";

const PLAIN = "";

/** All attributes in two numbers, as xterm keeps them; not part of its public interface. */
interface PackedCell extends IBufferCell {
  readonly fg?: number;
  readonly bg?: number;
}

/** Writes rows from the top down; `style` is what the output so far leaves switched on. */
class Pen {
  #out: string[] = [];
  #style = PLAIN;
  #cell: { fg: number | undefined; bg: number | undefined; sgr: string } = { fg: 0, bg: 0, sgr: PLAIN };

  get text(): string {
    return this.#out.join("");
  }

  write(text: string): void {
    this.#out.push(text);
  }

  /** Switches to a cell's style. Neighbours mostly share theirs, and telling it apart by every attribute takes long. */
  styleOf(cell: IBufferCell): void {
    if (cell.isAttributeDefault()) return this.style(PLAIN);
    const { fg, bg } = cell as PackedCell;
    const same = fg !== undefined && fg === this.#cell.fg && bg === this.#cell.bg;
    if (!same) this.#cell = { fg, bg, sgr: sgrOf(cell) };
    this.style(this.#cell.sgr);
  }

  style(sgr: string): void {
    if (sgr === this.#style) return;
    this.#style = sgr;
    this.interrupt();
  }

  /** Says the style, new or not: what follows does not combine with the character before it. */
  interrupt(): void {
    this.#out.push(switchOn(this.#style) || "\x1b[0m");
  }
}

function drawBuffer(buffer: IBuffer, scrollback: number): string {
  const pen = new Pen();
  const first = Math.max(0, buffer.baseY - scrollback);
  for (let y = first; y < buffer.length; y += 1) {
    const line = buffer.getLine(y);
    // Behind its last line a full buffer gives its first again.
    const next = y + 1 < buffer.length ? buffer.getLine(y + 1) : undefined;
    if (line !== undefined)
      drawRow(pen, line, {
        wrapsInto: next?.isWrapped ? next : undefined,
        wrapped: y > first && line.isWrapped,
      });
    // A row that begins while a background is on would be filled with it.
    if (!next?.isWrapped) pen.style(PLAIN);
    if (next !== undefined && !next.isWrapped) pen.write("\r\n");
  }
  pen.style(PLAIN);
  return pen.text;
}

interface RowContext {
  /** The row that this one goes on in, without a newline between them. */
  readonly wrapsInto: IBufferLine | undefined;
  /** This row is such a one: its first character makes the terminal wrap. */
  readonly wrapped: boolean;
}

function drawRow(pen: Pen, line: IBufferLine, { wrapsInto, wrapped }: RowContext): void {
  let gap = 0;
  let cell: IBufferCell | undefined;
  for (let x = 0; x < line.length; x += cell?.getWidth() || 1) {
    cell = line.getCell(x, cell);
    if (cell === undefined) break;
    const startsRow = wrapped && x === 0;
    const chars = cell.getChars();
    if (chars === "" && !startsRow && !showsEmpty(cell)) {
      gap += 1;
      continue;
    }
    if (gap > 0) pen.write(`\x1b[${gap}C`);
    gap = 0;
    drawCell(pen, cell, startsRow);
  }
  if (wrapsInto !== undefined && !wrapsByItself(gap, wrapsInto)) {
    pen.style(PLAIN);
    pen.write(" ".repeat(gap));
  }
}

function drawCell(pen: Pen, cell: IBufferCell, startsRow: boolean): void {
  pen.styleOf(cell);
  if (isLoneMark(cell)) {
    // It cannot make the terminal wrap.
    if (startsRow) pen.write(" \b");
    pen.interrupt();
  }
  pen.write(cell.getChars() || " ");
  if (!startsRow || cell.isBgDefault()) return;
  // Wrapping at the bottom filled the new row with this background.
  pen.style(PLAIN);
  pen.write("\x1b[K");
}

/** A cell that was erased and not written can be seen by these. */
function showsEmpty(cell: IBufferCell): boolean {
  if (cell.isAttributeDefault()) return false;
  const drawn = cell.isInverse() || cell.isUnderline() || cell.isStrikethrough() || cell.isOverline();
  return !cell.isBgDefault() || drawn !== 0;
}

/** A combining character that had nothing to combine with: it has a cell of its own, without a width. */
function isLoneMark(cell: IBufferCell): boolean {
  return cell.getWidth() === 0 && cell.getChars() !== "";
}

/**
 * Nothing is missing at the row's end, or only the cell that a wide character did not fit into. That one is filled with the
 * character's own style, which must not be seen there.
 */
function wrapsByItself(gap: number, next: IBufferLine): boolean {
  const first = next.getCell(0);
  return gap === 0 || (gap === 1 && first?.getWidth() === 2 && !showsEmpty(first));
}

interface Place {
  /** From 0; behind the last column when the cursor waits to wrap. */
  readonly x: number;
  readonly y: number;
}

/** Puts the cursor there. Behind the last column only writing that column again brings it; leaves the style plain. */
function place(terminal: Terminal, buffer: IBuffer, { x, y }: Place): string {
  if (x < terminal.cols) return `\x1b[${y + 1};${x + 1}H`;
  const line = buffer.getLine(buffer.baseY + y);
  const isHalf = line?.getCell(terminal.cols - 2)?.getWidth() === 2;
  const lastX = terminal.cols - (isHalf ? 2 : 1);
  const last = line?.getCell(lastX);
  const at = `\x1b[${y + 1};${lastX + 1}H`;
  return last === undefined ? at : `${at}\x1b[0;${sgrOf(last)}m${last.getChars() || " "}\x1b[0m`;
}

interface SavedCursor extends Place {
  readonly sgr: string;
}

/** What a program saved and may come back to. @see xterm control sequences, DECSC */
function savedCursor(terminal: Terminal, buffer: IBuffer, saved: SavedCursor): string {
  if (saved.x === 0 && saved.y === 0 && saved.sgr === PLAIN) return "";
  return `${place(terminal, buffer, saved)}${switchOn(saved.sgr)}\x1b7\x1b[0m`;
}

function switchOn(sgr: string): string {
  return sgr === PLAIN ? "" : `\x1b[0;${sgr}m`;
}

/** As xterm keeps it; not part of its public interface. */
interface CoreBuffer {
  readonly ybase: number;
  readonly savedX: number;
  /** Counted from the top of the scrollback. */
  readonly savedY: number;
  readonly savedCurAttrData: IBufferCell;
}

interface HiddenState {
  /** What is switched on for the next character; without it, text goes on plain. */
  readonly current: string;
  readonly savedOn: { readonly normal: SavedCursor; readonly alternate: SavedCursor };
}

function hiddenState(terminal: Terminal): HiddenState {
  const { _core: core } = terminal as unknown as {
    _core?: {
      _inputHandler?: { _curAttrData?: IBufferCell };
      buffers?: { normal?: CoreBuffer; alt?: CoreBuffer };
    };
  };
  const style = core?._inputHandler?._curAttrData;
  return {
    current: style === undefined ? PLAIN : sgrOf(style),
    savedOn: { normal: savedIn(core?.buffers?.normal), alternate: savedIn(core?.buffers?.alt) },
  };
}

/** Where the cursor goes when it is restored now. */
function savedIn(buffer: CoreBuffer | undefined): SavedCursor {
  if (buffer === undefined) return { x: 0, y: 0, sgr: PLAIN };
  const { savedX, savedY, ybase, savedCurAttrData } = buffer;
  return { x: savedX, y: Math.max(0, savedY - ybase), sgr: sgrOf(savedCurAttrData) };
}

/** @see xterm control sequences, DECSET. */
function modesOf({ modes }: Terminal): string {
  const mouse = { none: "", x10: "\x1b[?9h", vt200: "\x1b[?1000h", drag: "\x1b[?1002h", any: "\x1b[?1003h" };
  return [
    modes.applicationCursorKeysMode ? "\x1b[?1h" : "",
    modes.applicationKeypadMode ? "\x1b[?66h" : "",
    modes.bracketedPasteMode ? "\x1b[?2004h" : "",
    modes.insertMode ? "\x1b[4h" : "",
    modes.reverseWraparoundMode ? "\x1b[?45h" : "",
    modes.sendFocusMode ? "\x1b[?1004h" : "",
    modes.wraparoundMode ? "" : "\x1b[?7l",
    mouse[modes.mouseTrackingMode],
  ].join("");
}
