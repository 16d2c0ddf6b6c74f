/** Sets off a text by codes of the terminal; none of them carries a meaning that the text does not. */
export type Paint = (text: string, ...codes: readonly number[]) => string;

export const BOLD = 1;
export const DIM = 2;
export const REVERSE = 7;
export const STATE_COLORS: Readonly<Record<string, number>> = {
  SUCCESS: 32,
  FAILURE: 31,
  RETRY: 33,
  REVOKED: 35,
  REJECTED: 35,
  STARTED: 36,
  RECEIVED: 34,
};

export function painter(color: boolean): Paint {
  return (text, ...codes) => (color && text !== "" ? `\u001b[${codes.join(";")}m${text}\u001b[0m` : text);
}
