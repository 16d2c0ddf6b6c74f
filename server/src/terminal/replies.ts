const ESC = "\x1b";
const BEL = "\x07";

/**
 * What may be typed into a program as an answer: device attributes, status, cursor position. Other answers (settings,
 * colours, titles) can be made to carry text that a shell would run.
 *
 * @see xterm control sequences, "Device Status Report (DSR)", "Send Device Attributes"
 */
const HARMLESS = new RegExp(`^${ESC}\\[(?:[?>]?[\\d;]{1,40}c|\\d{1,5};\\d{1,5}R|\\??\\d{1,3}n)$`);

export function isHarmlessReply(data: string): boolean {
  return HARMLESS.test(data);
}

/** Answers as a browser's terminal sends them. A cursor in row 1, columns 2–8, looks like Shift+F3 and its kin: a key. */
const ANSWERS: RegExp = new RegExp(
  [
    `${ESC}\\[[?>][\\d;]{1,40}c`, // device attributes
    `${ESC}\\[(?!1;[2-8]R)\\d{1,5};\\d{1,5}R`, // cursor position
    `${ESC}\\[\\??\\d{1,3}n`, // status
    `${ESC}\\[\\?\\d{1,5};\\d{1,2}\\$y`, // mode
    `${ESC}P[^${ESC}]{0,200}${ESC}\\\\`, // settings, version
    `${ESC}\\]\\d{1,4};[^${BEL}${ESC}]{0,200}(?:${BEL}|${ESC}\\\\)`, // colours
  ].join("|"),
  "g",
);

/**
 * What a viewer typed, without what its terminal answered by itself. Several viewers would answer a query several
 * times, and a hidden one late; the server's terminal answers once.
 */
export function withoutAnswers(input: string): string {
  return input.includes("\x1b") ? input.replaceAll(ANSWERS, "") : input;
}
