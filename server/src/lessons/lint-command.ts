import type { StepSpec } from "./lesson.ts";

/**
 * Commands that take something from the learner that a reset does not bring back, or that reach beyond the lesson.
 * `kill` of a process of the lesson is what lessons do; killing by name hits others.
 */
const DESTRUCTIVE: readonly RegExp[] = [
  /\b(?:rm|rmdir|dd|mkfs\S*|truncate|shred)\s/,
  /\bflush(?:all|db)\b/i,
  /\bredis-cli\b.*\b(?:shutdown|config\s+set)\b/i,
  /\b(?:pkill|killall)\b/,
  /\bsudo\b/,
  /\bch(?:mod|own)\s+-R\b/,
  /\bgit\s+(?:reset|clean|checkout)\b/,
  /\bpurge\b.*(?:\s-f\b|--force)/,
  />\s*\/(?!dev\/null)/,
  /\bcurl\b.*\|\s*(?:ba|z)?sh\b/,
];

/** A step whose command may destroy something asks first. */
export function lintCommand(step: StepSpec, say: (message: string) => void): void {
  const found = DESTRUCTIVE.map((pattern) => pattern.exec(step.command)?.[0].trim()).find(Boolean);
  if (found !== undefined && step.confirm === null) {
    say(`"${found}" may destroy something: add confirm="a question for the learner"`);
  }
}

/** A pattern that waits for output must not be content with the command itself, nor with nothing. */
export function lintPattern(
  name: "until" | "expect",
  pattern: RegExp | null,
  command: string,
  say: (message: string) => void,
): void {
  if (pattern === null) return;
  if (pattern.test("")) say(`${name} matches an empty line`);
  else if (command.split("\n").some((line) => pattern.test(line) || pattern.test(`$ ${line}`))) {
    say(`${name} matches the command itself, which the terminal echoes`);
  }
  if (hasNestedRepeat(pattern.source)) say(`${name} repeats a repeat, like (a+)+, which can take for ever`);
}

/** Whether a repeated group holds a repeat: the form behind most patterns that never come to an end. */
export function hasNestedRepeat(source: string): boolean {
  const plain = source.replace(/\\./g, "x").replace(/\[[^\]]*\]/g, "x");
  const groups: boolean[] = [];
  for (let at = 0; at < plain.length; at += 1) {
    const char = plain.charAt(at);
    const repeats = /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(at));
    if (char === "(") groups.push(false);
    else if (char === ")") {
      const inner = groups.pop() ?? false;
      const isRepeated = /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(at + 1));
      if (inner && isRepeated) return true;
      if ((inner || isRepeated) && groups.length > 0) groups[groups.length - 1] = true;
    } else if (repeats && groups.length > 0) groups[groups.length - 1] = true;
  }
  return false;
}
