import type { IBufferCell } from "@xterm/headless";

/** The terminal's own word for one of the sixteen colours that a theme changes. */
const SIXTEEN_COLOURS = 0x1000000;

/**
 * The parameters that switch a cell's style on in a plain terminal; empty for plain.
 *
 * @see ECMA-48 8.3.117 SGR; 38 and 48 as xterm has them
 */
export function sgrOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return "";
  const codes: (string | number)[] = FLAGS.flatMap(([code, isOn]) => (isOn(cell) ? [code] : []));
  if (!cell.isFgDefault()) codes.push(colour(cell.getFgColorMode(), cell.getFgColor(), 30));
  if (!cell.isBgDefault()) codes.push(colour(cell.getBgColorMode(), cell.getBgColor(), 40));
  return codes.join(";");
}

const FLAGS: readonly (readonly [number, (cell: IBufferCell) => number])[] = [
  [1, (cell) => cell.isBold()],
  [2, (cell) => cell.isDim()],
  [3, (cell) => cell.isItalic()],
  [4, (cell) => cell.isUnderline()],
  [5, (cell) => cell.isBlink()],
  [7, (cell) => cell.isInverse()],
  [8, (cell) => cell.isInvisible()],
  [9, (cell) => cell.isStrikethrough()],
  [53, (cell) => cell.isOverline()],
];

/** @param base 30 for text, 40 for background. */
function colour(mode: number, value: number, base: 30 | 40): string {
  if (mode === SIXTEEN_COLOURS) return `${value < 8 ? base + value : base + 52 + value}`;
  const isPalette = mode === SIXTEEN_COLOURS * 2;
  if (isPalette) return `${base + 8};5;${value}`;
  return `${base + 8};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`;
}
