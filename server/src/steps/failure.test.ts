import { expect, test } from "vitest";
import { explainFailure } from "./failure.ts";

interface Case {
  readonly name: string;
  readonly command?: string;
  readonly exit?: number;
  readonly output: string;
  readonly says: readonly (string | RegExp)[];
}

/** Output as the programs print it. */
const CASES: readonly Case[] = [
  {
    name: "a command that the shell does not know",
    command: "celerey -A tasks worker",
    exit: 127,
    output: "bash: celerey: command not found",
    says: ["celerey", /spelling/],
  },
  {
    name: "a command that a POSIX shell does not know",
    command: "celerey worker",
    exit: 127,
    output: "sh: 1: celerey: not found",
    says: ["`celerey`"],
  },
  {
    name: "a syntax error that tsx found",
    command: "tsx send.ts",
    output: `node:internal/modules/run_main:123
    triggerUncaughtException(
Error: Transform failed with 1 error:
/home/ada/playground/.workspace/03-delay/tasks.ts:7:3: ERROR: Expected ";" but found "return"
    at failureErrorWithLog (/home/ada/playground/node_modules/esbuild/lib/main.js:1752:15)`,
    says: ["tasks.ts", "line 7", 'Expected ";" but found "return"', /Correct it in the editor/],
  },
  {
    name: "a syntax error that Node found",
    command: "node send.ts",
    output: `file:///home/ada/playground/.workspace/03-delay/send.ts:4
const x = ;
          ^

SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expression expected
    at parseTypeScript (node:internal/modules/typescript:68:40)`,
    says: ["send.ts", "line 4", "Expression expected"],
  },
  {
    name: "a syntax error that celery found",
    command: "celery -A tasks worker",
    output: `Error: tasks.ts:1:13 has a syntax error.
SyntaxError: Expected identifier but found "="
Mend that line and start again.`,
    says: ["tasks.ts", "line 1", 'Expected identifier but found "="'],
  },
  {
    name: "a module that throws while celery loads it",
    command: "celery -A tasks worker",
    output: `Error: tasks.ts:7:24 stopped while it was loaded.
TypeError: app.tsk is not a function
Mend that line and start again.`,
    says: ["tasks.ts", "line 7", "app.tsk is not a function", /Correct it in the editor/],
  },
  {
    name: "a syntax error that Python found",
    command: "python send.py",
    output: `  File "/home/ada/send.py", line 3
    add.delay(4, 4
             ^
SyntaxError: '(' was never closed`,
    says: ["send.py", "line 3", "'(' was never closed"],
  },
  {
    name: "a Redis that is down",
    command: "tsx send.ts",
    output:
      "OperationalError: Cannot connect to redis://127.0.0.1:40123/0: connect ECONNREFUSED 127.0.0.1:40123",
    says: [/Redis did not answer/, /broker pane/],
  },
  {
    name: "a server that is not started",
    command: "curl http://127.0.0.1:8000/result/x",
    exit: 7,
    output: "curl: (7) Failed to connect to 127.0.0.1 port 8000 after 0 ms: Couldn't connect to server",
    says: ["127.0.0.1:8000", /Start the program/],
  },
  {
    name: "a port that is taken",
    command: "tsx server.ts",
    output: "Error: listen EADDRINUSE: address already in use 127.0.0.1:8000",
    says: ["Port 8000", /Ctrl-C/],
  },
  {
    name: "an import that does not resolve",
    command: "tsx send.ts",
    output:
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/home/ada/.workspace/03/taks.ts' imported from /home/ada/send.ts",
    says: ["`taks.ts`", /spelling/],
  },
  {
    name: "a file that is not there",
    command: "cat notes.txt",
    output: "cat: notes.txt: No such file or directory",
    says: ["`notes.txt`"],
  },
  {
    name: "a result that never came",
    command: "tsx get.ts",
    output: "TimeoutError: The operation timed out after 10 s",
    says: [/worker pane/],
  },
  { name: "Ctrl-C", command: "tsx send.ts", exit: 130, output: "^C", says: [/stopped with Ctrl-C/] },
  {
    name: "SIGKILL",
    command: "celery -A tasks worker",
    exit: 137,
    output: "",
    says: [/killed \(signal 9\)/],
  },
  {
    name: "anything else",
    command: "tsx send.ts",
    exit: 3,
    output: "starting\nsomething failed: out of tea\nbye",
    says: ["exit code 3", "something failed: out of tea", "producer pane"],
  },
  {
    name: "silence",
    command: "false",
    exit: 1,
    output: "",
    says: ["`false` ended with exit code 1", "producer pane"],
  },
];

test.each(CASES)(
  "given $name, when the step failed of it, then the learner is told what happened and what to do",
  (given) => {
    const lines = given.output.split("\n");

    const sentence = explainFailure({
      command: given.command ?? "",
      pane: "producer",
      exit: given.exit ?? 1,
      lines,
    });

    for (const part of given.says) expect(sentence).toMatch(part);
    expect(sentence).toMatch(/[.”]$/);
    expect(sentence).toMatch(/again|Check/);
  },
);

test("given long hostile lines, when a cause is looked for, then it takes no time to speak of", () => {
  const lines = ["redis ", "ECONNREFUSED ", ":1:1: ERROR: ", "a.ts:", "EADDRINUSE", "x: "].map((unit) =>
    unit.repeat(3000),
  );
  const started = performance.now();

  explainFailure({ command: "x", pane: "worker", exit: 1, lines });

  expect(performance.now() - started).toBeLessThan(1000);
});
