import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Playground, startPlayground } from "../support/playground.ts";
import { PageSession } from "./page-session.ts";
import { runThrough } from "./run-through.ts";

const SAY = "```sh run=producer id=say\necho one\n```\n";
const SAY_MORE = "```sh run=producer id=more\necho two\n```\n";

function aCheck(id: string, that: string, more = ""): string {
  return `\`\`\`yaml check=${id}\ntitle: It was said\nthat: ${that}\nelse: I see {step("say").runs} runs.\nwithin: 2s\n${more}\`\`\`\n`;
}

const SOUND = [
  SAY,
  aCheck("said", 'step("say").runs == 1 and pane("producer").saw(/^one$/)'),
  aCheck("never", "1 == 2", "required: false\n"),
  "```diff edit=files/note.txt id=change\n one\n-two\n+TWO\n three\n```\n",
  aCheck("changed", 'file("note.txt").edited'),
  "<details><summary>Solution</summary>\n\n```diff edit=files/note.txt id=solve\n-three\n+THREE\n```\n\n</details>\n",
  SAY_MORE,
  aCheck("said-more", 'pane("producer").saw(/^two$/)'),
].join("\n");

/** Lessons with one fault each, and what has to be said about it. `PORT` is that of the test's own server. */
const FAULTY: Readonly<Record<string, readonly [body: string, message: RegExp]>> = {
  "green at once": [
    SAY + aCheck("early", 'step("say").runs == 0'),
    /"early" is green before anything was done: It was said/,
  ],
  "green before its step": [
    `${SAY}\n${SAY_MORE}${aCheck("early", 'step("say").runs == 1')}`,
    /"early" is green before more/,
  ],
  "red for ever": [
    SAY + aCheck("late", 'step("say").runs == 2'),
    /"late" \(It was said\) is red after 2 s: I see 1 runs\.[\s\S]*--- producer\n[\s\S]*one/,
  ],
  "a step that fails": ["```sh run=producer id=fall\nfalse\n```\n", /"fall" failed: /],
  "green after the reset": [
    `\`\`\`sh run=producer id=flip\nnode -e 'fetch("http://127.0.0.1:PORT/flip")'\n\`\`\`\n${aCheck("flipped", 'http("http://127.0.0.1:PORT/state").status == 200').replace(/else: .*/, "else: Not flipped.")}`,
    /"flipped" is green after the reset/,
  ],
};

let dir: string;
let playground: Playground;
let session: PageSession;
let isFlipped = false;
const server = createServer((request, response) => {
  if (request.url === "/flip") isFlipped = true;
  response.writeHead(isFlipped ? 200 : 404).end();
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  dir = await writeCourse((server.address() as AddressInfo).port);
  playground = await startPlayground({ args: ["--lessons", dir] });
  session = await PageSession.open(playground);
}, 60_000);

afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await playground?.stop();
  server.close();
  await rm(dir, { recursive: true, force: true });
});

async function writeCourse(port: number): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "course-"));
  const bodies = [SOUND, ...Object.values(FAULTY).map(([body]) => body)];
  for (const [index, body] of bodies.entries()) {
    const files = join(root, slugOf(index), "files");
    await mkdir(files, { recursive: true });
    await writeFile(join(files, "note.txt"), "one\ntwo\nthree\n");
    const text = `---\ntitle: T\nsummary: S\ntime: 5m\n---\n\n${body.replaceAll("PORT", String(port))}`;
    await writeFile(join(files, "../lesson.md"), text);
  }
  const list = bodies.map((_, index) => `      - { slug: ${slugOf(index)}, ready: true }\n`).join("");
  await writeFile(join(root, "course.yaml"), `title: C\nparts:\n  - title: P\n    lessons:\n${list}`);
  return root;
}

function slugOf(index: number): string {
  return `${String(index + 1).padStart(2, "0")}-case`;
}

test("given a sound lesson, when it is run through, then nothing is found, and a check that is not required may stay red", {
  timeout: 120_000,
}, async () => {
  const stages: string[] = [];
  const { steps, checks } = await runThrough(session, slugOf(0), (line) =>
    stages.push(line.split(" ")[0] ?? ""),
  );
  expect(stages).toEqual(["say", "change", "solve", "more"]);
  expect([steps, checks]).toEqual([4, 3]);
});

test.each(Object.entries(FAULTY).map(([name, [, message]], index) => [name, index + 1, message] as const))(
  "given a lesson with %s, when it is run through, then that is said",
  { timeout: 120_000 },
  async (_, index, message) => {
    await expect(runThrough(session, slugOf(index), () => {})).rejects.toThrow(message);
  },
);
