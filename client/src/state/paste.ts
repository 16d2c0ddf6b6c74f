/** What a paste would do to a shell. */
export interface PasteReview {
  /** The text without what no keyboard types (escape and other control characters). */
  readonly text: string;
  readonly lines: number;
  /** More than one line, or something hidden: worth a look before it is typed. */
  readonly needsLook: boolean;
}

export function reviewPaste(raw: string): PasteReview {
  const text = Array.from(raw.replace(/\r\n?/g, "\n")).filter(isText).join("");
  const lines = text.replace(/\n$/, "").split("\n").length;
  return { text, lines, needsLook: text.includes("\n") || text !== raw };
}

/** Control characters are commands to a terminal, not text; tab and line end are both. */
function isText(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return character === "\n" || character === "\t" || (code >= 0x20 && code !== 0x7f);
}
