/** Where the learner's own file stopped a program, as its last words say. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
  /** What is wrong there, one line. */
  readonly problem: string;
}

/** `tasks.ts:12` or `tasks.ts:12:5`, with or without folders before it. */
const PLACE = /(?:^|[\s("'/])([\w-]+\.(?:ts|js|mjs|py)):(\d+)(?::\d+)?/;

/**
 * Error lines of Node and of our own `celery` (`SyntaxError: …`) and of esbuild behind tsx (`tasks.ts:3:5: ERROR: …`).
 */
const PROBLEM = /(?:\bERROR: |\b(?:\w*Error|Exception): )(.+)/;

/**
 * Finds the place in the learner's code that ended a program.
 *
 * @param lines the end of the program's output, oldest first.
 * @param files names of the lesson's files; places in other files are not the learner's.
 */
export function findCodePlace(lines: readonly string[], files: ReadonlySet<string>): CodePlace | undefined {
  for (const [index, text] of lines.entries()) {
    const match = PLACE.exec(text);
    if (match === null || !files.has(match[1] ?? "")) continue;
    // esbuild says both in one line; Node and our own `celery` show the place and then say what is wrong.
    const after = text.slice(match.index + match[0].length);
    const problem =
      PROBLEM.exec(after) ?? findProblem(lines.slice(index + 1)) ?? findProblem(lines.slice(0, index));
    if (problem === undefined) continue;
    return { file: match[1] ?? "", line: Number(match[2]), problem: trim(problem[1] ?? "") };
  }
  return undefined;
}

/** The port that a program could not listen on because another one does. */
export function findTakenPort(lines: readonly string[]): number | undefined {
  for (const text of lines) {
    const match = /EADDRINUSE[^\n]*?:(\d{2,5})\b/.exec(text);
    if (match !== null) return Number(match[1]);
  }
  return undefined;
}

function findProblem(lines: readonly string[]): RegExpExecArray | undefined {
  for (const text of lines) {
    const match = PROBLEM.exec(text);
    if (match !== null) return match;
  }
  return undefined;
}

function trim(problem: string): string {
  const text = problem.trim();
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
