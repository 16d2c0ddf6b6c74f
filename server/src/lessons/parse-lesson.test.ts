import { expect, test } from "vitest";
import { aLesson, FRONT_MATTER_LINES, TASKS } from "../../test/lesson-source.ts";
import type { LessonBlock } from "../protocol/index.ts";
import { applyEdit } from "./edit.ts";
import { parseLesson } from "./parse-lesson.ts";

const EXAMPLE = `
A *producer* puts a message in a list.
Read [the task](files/tasks.ts#L3-L5) and [this line](files/tasks.ts#L4).

## 1. Start a worker

\`\`\`sh run=worker id=start-worker until="celery@.* ready" timeout=1m restart label="Start it"
celery -A tasks worker
\`\`\`

\`\`\`yaml check=online
title: One worker is online
that: workers.online >= 1
then: "{workers.online} worker: hello"
else: No worker has said hello yet. Press Run above.
within: 20s
\`\`\`

### Predict (send): what does it *print*?

- A. \`8\`
- B. An **id**

<details><summary>Answer</summary>

**B.** It is a receipt.

</details>

\`\`\`sh run=producer id=send after=start-worker exit=any expect=/ID/i confirm="Really \\"send\\"?"
tsx send.ts
\`\`\`

## 2. Change the task

\`\`\`diff edit=files/tasks.ts id=multiply
 export const add = app.task("tasks.add", (x: number, y: number) => {
-  return x + y;
+  return x * y;
 });
\`\`\`

<details><summary>Hint: I still get 8</summary>

The worker keeps the code. Press <kbd>Ctrl</kbd>.

</details>

> [!TIP]
> Save first.

\`\`\`ts
const shown = "only";
\`\`\`

<details><summary>Solution</summary>

\`\`\`diff edit=files/tasks.ts id=solved
-  return x * y;
+  return x * y + 0;
 });
\`\`\`

</details>

### Quiz: where is it?

- A. Here
- B. There

<details><summary>Answer</summary>

**A.** Because.

</details>
`;

test("given a lesson with every kind of block, when it is parsed, then the blocks come in the order of the text", () => {
  const { lesson, problems } = parseLesson(aLesson(EXAMPLE));
  expect(problems).toEqual([]);
  expect(lesson?.view.blocks.map((block) => block.kind)).toEqual([
    "html",
    "run",
    "check",
    "predict",
    "run",
    "html",
    "edit",
    "hint",
    "html",
    "code",
    "edit",
    "quiz",
  ]);
  expect(lesson?.view).toMatchObject({
    slug: "03-test",
    number: 3,
    minutes: 5,
    open: "tasks.ts",
    files: ["tasks.ts", "app.ts"],
  });
});

test("given a step, when it is parsed, then every attribute is in its place and the rest has its default", () => {
  const { lesson } = parseLesson(aLesson(EXAMPLE));
  expect(lesson?.steps).toEqual([
    {
      id: "start-worker",
      pane: "worker",
      command: "celery -A tasks worker",
      until: /celery@.* ready/,
      expect: null,
      exit: 0,
      timeoutSeconds: 60,
      interrupt: false,
      restart: true,
      after: null,
      type: false,
      confirm: null,
      label: "Start it",
    },
    {
      id: "send",
      pane: "producer",
      command: "tsx send.ts",
      until: null,
      expect: /ID/i,
      exit: "any",
      timeoutSeconds: 20,
      interrupt: false,
      restart: false,
      after: "start-worker",
      type: false,
      confirm: 'Really "send"?',
      label: null,
    },
  ]);
});

test("given a check, when it is parsed, then it knows the step before it and how long it may take", () => {
  const { lesson } = parseLesson(aLesson(EXAMPLE));
  expect(lesson?.checks).toMatchObject([
    {
      id: "online",
      title: "One worker is online",
      because: "{workers.online} worker: hello",
      otherwise: "No worker has said hello yet. Press Run above.",
      withinSeconds: 20,
      required: true,
      after: "start-worker",
    },
  ]);
});

test("given prose, when it is parsed, then file links carry file and lines, and headings and alerts their marks", () => {
  const { lesson } = parseLesson(aLesson(EXAMPLE));
  const html = lesson?.view.blocks.flatMap((block) => (block.kind === "html" ? block.html : [])).join("\n");
  expect(html).toContain(
    '<a class="file-link" href="?file=tasks.ts#L3-L5" data-file="tasks.ts" data-from="3" data-to="5">the task</a>',
  );
  expect(html).toContain('href="?file=tasks.ts#L4" data-file="tasks.ts" data-from="4" data-to="4"');
  expect(html).toContain('<h2 id="1-start-a-worker">');
  expect(html).toContain(
    '<div class="alert alert-tip" role="note">\n<p class="alert-title">Tip</p>\n<p>Save first.</p>\n</div>',
  );
});

test("given questions and hints, when they are parsed, then options, answers and texts are apart", () => {
  const { lesson } = parseLesson(aLesson(EXAMPLE));
  const find = (kind: LessonBlock["kind"]) => lesson?.view.blocks.find((block) => block.kind === kind);
  expect(find("predict")).toEqual({
    kind: "predict",
    id: "predict-1",
    question: "what does it print?",
    options: [
      { letter: "A", html: "<code>8</code>" },
      { letter: "B", html: "An <strong>id</strong>" },
    ],
    answer: "B",
    html: "<p>It is a receipt.</p>\n",
    locks: "send",
  });
  expect(find("quiz")).toMatchObject({
    id: "quiz-1",
    question: "where is it?",
    answer: "A",
    html: "<p>Because.</p>\n",
  });
  expect(find("hint")).toEqual({
    kind: "hint",
    id: "hint-1",
    summary: "Hint: I still get 8",
    html: "<p>The worker keeps the code. Press <kbd>Ctrl</kbd>.</p>\n",
  });
});

test("given edits one after the other, when they are applied in order, then each fits the result of the one before", () => {
  const { lesson } = parseLesson(aLesson(EXAMPLE));
  const end = (lesson?.edits ?? []).reduce<string | undefined>(
    (text, edit) => (text === undefined ? undefined : applyEdit(text, edit)),
    TASKS,
  );
  expect(end).toContain("return x * y + 0;");
  expect(lesson?.edits.map(({ id, solution }) => [id, solution])).toEqual([
    ["multiply", false],
    ["solved", true],
  ]);
});

/** A body with a fault, the line of the body it is in, and a piece of the message. */
const FAULTS: readonly (readonly [string, number, string])[] = [
  ["```sh run=wroker id=a\nls\n```", 1, 'pane "wroker" is not one of broker, worker, producer'],
  [
    '```sh run=worker id=a untl="x"\nls\n```',
    1,
    'unknown attribute "untl" on a run block (known: run, id, label, until',
  ],
  ["```sh run=worker\nls\n```", 1, "id=… is missing"],
  ["```sh run=worker id=A_b\nls\n```", 1, 'the id "A_b" is not of lower-case letters'],
  ["```sh run=worker id=a\n```", 1, "needs a command"],
  ["```js run=worker id=a\nls\n```", 1, "language is sh"],
  ["```sh run=worker id=a until=/(/\nls\n```", 1, "Unterminated group"],
  ["```sh run=worker id=a until=ready\ncelery ready\n```", 1, "until matches the command itself"],
  ["```sh run=worker id=a expect=x*\nls\n```", 1, "expect matches an empty line"],
  ['```sh run=worker id=a until="(a+)+b"\nls\n```', 1, "repeats a repeat"],
  ["```sh run=worker id=a exit=-1\nls\n```", 1, "exit=-1 is neither"],
  ["```sh run=worker id=a timeout=soon\nls\n```", 1, "timeout=soon is no time"],
  ["```sh run=worker id=a restart=yes\nls\n```", 1, '"restart" stands alone'],
  ["```sh run=worker id=a after=b\nls\n```", 1, "after=b names no earlier step"],
  ["```sh run=worker id=a id=b\nls\n```", 1, 'the attribute "id" stands twice'],
  ['```sh run=worker id=a label="open\nls\n```', 1, "could not read"],
  ["```sh run=worker id=a\nls\n```\n\n```sh run=worker id=a\nls\n```", 5, 'the id "a" is taken since line 9'],
  ["```sh run=worker id=a\nrm -r x\n```", 1, '"rm" may destroy something'],
  ["```sh run=broker id=a\nredis-cli FLUSHALL\n```", 1, '"FLUSHALL" may destroy something'],
  ["```sh run=worker id=a\npkill node\n```", 1, '"pkill" may destroy something'],
  ["```sh run=worker id=a\necho “x”\n```", 2, "a curly quote in a code block"],
  ["```sh\necho\u00a0x\n```", 2, "a non-breaking space in a code block"],
  ["```sh foo=1\nls\n```", 1, 'unknown attribute "foo" on a code block'],
  ["- item\n\n  ```sh run=worker id=a\n  ls\n  ```", 3, "a block with run can not stand inside a list"],
  [
    "<details><summary>Hint: x</summary>\n\n```sh run=worker id=a\nls\n```\n\n</details>",
    3,
    "can not stand inside <details>",
  ],
  [
    "```yaml check=c\ntitle: t\nthat: workers.onlin\nelse: e\n```",
    3,
    '"onlin" is not a word of workers (known: online, oldCode, seen) (column 9)',
  ],
  ["```yaml check=c\ntitle: t\nthat: workers.online\n```", 2, 'needs an "else"'],
  ["```yaml check=c\nthat: 1 == 1\nelse: e\n```", 2, '"title" is missing'],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: e\nwhen: 3\n```", 2, 'unknown key "when"'],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: see {workers}\n```", 4, "else: this is not a value yet"],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: see {1\n```", 4, 'has no "}"'],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: task #3 is missing\n```", 4, 'reads " #" as a comment'],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: e\nwithin: soon\n```", 5, 'within: "soon" is no time'],
  ["```yaml check=c\ntitle: t\nthat: 1 == 1\nelse: [\n```", 5, "YAML: "],
  [
    '```yaml check=c\ntitle: t\nthat: step("x").runs == 1\nelse: e\n```',
    1,
    'no step of this lesson is called "x"',
  ],
  [
    '```yaml check=c\ntitle: t\nthat: file("x.ts").edited\nelse: e\n```',
    1,
    'no file of this lesson is called "x.ts"',
  ],
  [
    '```yaml check=c\ntitle: t\nthat: pane("worker").saw(/a: b/)\nelse: e\n```',
    3,
    'put a value that holds ": " in single quotes',
  ],
  [
    '```yaml check=c\ntitle: t\nthat: pane("worker").saw(/(a*)*b/)\nelse: e\n```',
    1,
    "a pattern repeats a repeat",
  ],
  ["```json check=c\ntitle: t\nthat: 1 == 1\nelse: e\n```", 1, "language is yaml"],
  [
    "```diff edit=files/tasks.ts id=e\n-nothing like it\n+x\n```",
    1,
    "the diff does not apply to files/tasks.ts",
  ],
  ["```diff edit=files/gone.ts id=e\n-a\n+b\n```", 1, "files/gone.ts does not exist"],
  ["```diff edit=files/tasks.ts id=e\nreturn x + y;\n```", 1, "start with a space, + or -"],
  ["```ts edit=files/tasks.ts id=e\nx\n```", 1, "an edit is a diff, or it names a region"],
  ["```ts edit=files/tasks.ts id=e region=body\nx\n```", 1, 'has no lines "#region body"'],
  [
    "```diff edit=files/tasks.ts id=e fuzzy\n-  return x + y;\n+  return 1;\n```",
    1,
    'unknown attribute "fuzzy" on an edit block',
  ],
  ["[x](files/gone.ts)", 1, "files/gone.ts does not exist"],
  ["word\n[x](files/tasks.ts#L3-L50)", 2, "files/tasks.ts#L3-L50 is not within its 5 lines"],
  ["[x](files/tasks.ts#L5-L3)", 1, "is not within"],
  ["[x](javascript:alert(1))", 1, 'the link target "javascript:alert(1)" is none of'],
  ["[x](#nowhere)", 1, 'no heading or block has the id "nowhere"'],
  ["[x](../09-gone/lesson.md)", 1, 'no lesson is called "09-gone"'],
  ["![x](files/a.png)", 1, "images are not shown"],
  ["a <b>b</b>", 1, "HTML is not allowed here: <b>"],
  ["a <kbd>b", 1, "HTML is not allowed here: <kbd>"],
  ["<script>alert(1)</script>", 1, "HTML is not allowed here: <script>"],
  ["<details><summary>Hint</summary>\ntext\n</details>", 1, "HTML is not allowed here"],
  ["<details><summary>Hint</summary>\n\ntext", 1, "has no </details>"],
  ["text\n\n</details>", 3, "</details> without <details>"],
  ["> [!FUN]\n> x", 1, '"[!FUN]" is not an alert (known: NOTE'],
  ["# Title", 1, "headings begin with ##"],
  ["## A\n\n#### B", 3, "a heading of level 4 can not follow one of level 2"],
  ["## 1. Do it\n\nwords", 1, '"1. Do it" has no step'],
  ["### Quiz: what?\n\nwords", 1, "two options or more"],
  [
    "### Quiz: what?\n\n- A. x\n- C. y\n\n<details><summary>Answer</summary>\n\n**A.**\n\n</details>",
    1,
    'option 2 does not begin with "B. "',
  ],
  ["### Quiz: what?\n\n- A. x\n- B. y\n", 1, "a question ends with <details><summary>Answer"],
  [
    "### Quiz: what?\n\n- A. x\n- B. y\n\n<details><summary>Answer</summary>\n\nIt is A.\n\n</details>",
    1,
    "begins with its bold letter",
  ],
  [
    "### Quiz: what?\n\n- A. x\n- B. y\n\n<details><summary>Answer</summary>\n\n**C.** z\n\n</details>",
    1,
    "the answer C is not one of",
  ],
  ["### Quiz what?", 1, 'write "### Quiz: question"'],
  [
    "### Predict (x): what?\n\n- A. x\n- B. y\n\n<details><summary>Answer</summary>\n\n**A.** z\n\n</details>",
    1,
    "Predict (x): no step has this id",
  ],
  ["<details><summary>Answer</summary>\n\n**A.**\n\n</details>", 1, "an Answer stands after the options"],
  ["<details><summary>Solution</summary>\n\nwords\n\n</details>", 1, "a Solution holds edits only"],
];

test.each(FAULTS)("given %j, when it is linted, then line %i says what is wrong", (body, line, message) => {
  const { problems } = parseLesson(aLesson(`## Start\n\n${body}`.replace("## Start\n\n# ", "# ")));
  const offset = body.startsWith("# ") ? 0 : 2;
  const said = problems.map(
    (problem) => `${problem.file}:${problem.line - FRONT_MATTER_LINES - offset}: ${problem.message}`,
  );
  expect(said.join("\n")).toContain(`03-test/lesson.md:${line}: `);
  expect(
    said.find((text) => text.includes(message)),
    said.join("\n"),
  ).toMatch(new RegExp(`^03-test/lesson.md:${line}: `));
});

test.each([
  ["no front matter", "## x", 1, "begins with front matter"],
  ["a missing title", "---\nsummary: s\ntime: 5m\n---\n", 2, '"title" is missing'],
  ["a time in words", "---\ntitle: t\nsummary: s\ntime: soon\n---\n", 4, '"time": expected minutes'],
  ["an unknown key", "---\ntitle: t\nsummary: s\ntime: 5m\nlevel: 3\n---\n", 2, 'unknown key "level"'],
  [
    "a file that is not there",
    "---\ntitle: t\nsummary: s\ntime: 5m\nopen: files/x.ts\n---\n",
    1,
    "files/x.ts does not exist",
  ],
  ["too little time", `---\ntitle: t\nsummary: s\ntime: 1m\n---\n${"word ".repeat(500)}`, 1, "3 minutes"],
])("given front matter with %s, when it is linted, then the line says so", (_, text, line, message) => {
  const { problems } = parseLesson(aLesson("", { text }));
  expect(problems.find((problem) => problem.message.includes(message))?.line, JSON.stringify(problems)).toBe(
    line,
  );
});

test("given several mistakes in front matter, when it is linted, then all are named at once", () => {
  const { problems } = parseLesson(aLesson("", { text: "---\ntime: x\nfoo: 1\n---\n" }));
  expect(problems.map((problem) => problem.message).join("\n")).toMatch(
    /title[\s\S]*summary|summary[\s\S]*title/,
  );
  expect(problems.length).toBeGreaterThanOrEqual(4);
});

test("given a faulty block, when the lesson is parsed, then the rest of it is still there", () => {
  const { lesson } = parseLesson(
    aLesson("```sh run=nowhere id=a\nls\n```\n\n```sh run=worker id=b\nls\n```\n"),
  );
  expect(lesson?.steps.map((step) => step.id)).toEqual(["b"]);
});

test("given a region, when an edit replaces it, then the page gets it as a diff", () => {
  const files = new Map([["tasks.ts", "a\n// #region body\nold\n// #endregion\nz\n"]]);
  const body = "```ts edit=files/tasks.ts id=e region=body\nnew\n```\n";
  const { lesson, problems } = parseLesson(aLesson(body, { files }));
  expect(problems).toEqual([]);
  expect(lesson?.edits[0]?.diff).toBe(" a\n // #region body\n-old\n+new\n // #endregion\n z");
});
