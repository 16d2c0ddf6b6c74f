import fc from "fast-check";
import { expect, test } from "vitest";
import { aLesson } from "../../test/lesson-source.ts";
import type { LessonBlock } from "../protocol/index.ts";
import { parseLesson } from "./parse-lesson.ts";

/** Every tag that may reach the page, with the attributes it may have. Anything else that begins with `<` is a hole. */
const TAG = new RegExp(
  [
    "^<(?:",
    [
      "/?(?:p|ul|ol|li|code|pre|em|strong|s|blockquote|table|thead|tbody|tr|kbd|div|hr|br|td|th)",
      "/(?:a|h[1-6])",
      'h[1-6] id="[^"<>]*"',
      'code class="language-[\\w+-]+"',
      'ol start="\\d+"',
      't[dh] class="align-(?:left|center|right)"',
      'div class="alert alert-[a-z]+" role="note"',
      'p class="alert-title"',
      "a",
      'a href="https?://[^"<>]+" target="_blank" rel="noopener noreferrer"',
      'a href="#[^"<>]*"',
      'a class="lesson-link" href="/l/[\\w-]+" data-lesson="[\\w-]+"',
      'a class="file-link" href="\\?file=[\\w.%-]+(?:#L\\d+(?:-L\\d+)?)?" data-file="[\\w./-]+"(?: data-from="\\d+" data-to="\\d+")?',
    ].join("|"),
    ")>$",
  ].join(""),
);

const PAYLOADS: readonly string[] = [
  "<script>alert(1)</script>",
  "<ScRiPt src=//evil.example></sCrIpT>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
  "<iframe src=javascript:alert(1)>",
  "<iframe srcdoc='<script>alert(1)</script>'>",
  "<object data=x>",
  "<embed src=x>",
  "<base href=//evil.example>",
  "<meta http-equiv=refresh content=0;url=//evil.example>",
  "<link rel=stylesheet href=//evil.example>",
  "<style>@import '//evil.example'</style>",
  "<form action=//evil.example><button>x</button></form>",
  "<input autofocus onfocus=alert(1)>",
  "<video><source onerror=alert(1)></video>",
  "<details open ontoggle=alert(1)><summary>x</summary></details>",
  "<kbd onclick=alert(1)>x</kbd>",
  "<br onclick=alert(1)>",
  "<kbd><script>alert(1)</script></kbd>",
  "</kbd><kbd>",
  "</div></div></p>",
  "<a href=javascript:alert(1)>x</a>",
  "<a href='java\tscript:alert(1)'>x</a>",
  "<!--><script>alert(1)</script>-->",
  "<!-- <img src=x> --><img src=x onerror=alert(1)>",
  "<![CDATA[<script>alert(1)</script>]]>",
  "<?xml version='1.0'?><script>alert(1)</script>",
  "<!DOCTYPE html [<!ENTITY x '<script>'>]>",
  "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
  "<p style='background:url(javascript:alert(1))'>",
  "<plaintext>",
  "<textarea><script>alert(1)</script></textarea>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\nscript:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](javascript&colon;alert(1))",
  "[x](vbscript:msgbox(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](file:///etc/passwd)",
  "[x](//evil.example)",
  "[x](\\\\evil.example)",
  '[x](https://evil.example/"onmouseover=alert(1))',
  '[x](<https://evil.example/" onmouseover=alert(1)>)',
  '[x](https://evil.example "title\\" onmouseover=alert(1)")',
  "[x](files/../../../etc/passwd)",
  '[x](files/tasks.ts" onclick=alert(1))',
  '[x](files/tasks.ts#L1" onclick="alert(1))',
  '[x](#a" onclick=alert(1))',
  '[x](#"><script>alert(1)</script>)',
  '[x](../02-other/lesson.md?x="onclick)',
  "[<img src=x onerror=alert(1)>](https://evil.example)",
  "![x](javascript:alert(1))",
  '![x" onerror="alert(1)](x)',
  "![](x 'y\" onerror=alert(1)')",
  "<javascript:alert(1)>",
  '<https://evil.example/"onclick=alert(1)>',
  "<data:text/html;base64,PHNjcmlwdD4=>",
  "[x][ref]\n\n[ref]: javascript:alert(1)",
  "[x][ref]\n\n[ref]: https://evil.example '\" onclick=alert(1)'",
  "`<script>alert(1)</script>`",
  "`` ` <script>alert(1)</script> ``",
  "```\n<script>alert(1)</script>\n```",
  '```"><script>alert(1)</script>\nx\n```',
  '```js" onclick=alert(1)\nx\n```',
  "~~~<img/src=x>\nx\n~~~",
  "    <script>alert(1)</script>",
  "# <script>alert(1)</script>",
  '## "><img src=x onerror=alert(1)>',
  "## `<script>` & \"quotes\" 'x'",
  "> <script>alert(1)</script>",
  "> [!TIP]\n> <img src=x onerror=alert(1)>",
  "> [!<script>]\n> x",
  '> [!TIP" onclick=x]\n> x',
  "- <script>alert(1)</script>",
  "1. <img src=x onerror=alert(1)>",
  "999999999999. x",
  "| <script> | b |\n|:-:|--:|\n| <img src=x onerror=alert(1)> | x |",
  '|a|\n|:-----------------"onclick=x|\n',
  "***<script>alert(1)</script>***",
  "~~<script>alert(1)</script>~~",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;script&#62;alert(1)&#60;/script&#62;",
  "\\<script>alert(1)\\</script>",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "<<script>alert(1)//<</script>",
  "<script\u0000>alert(1)</script>",
  "<script/x>alert(1)</script>",
  "\u202e<script>alert(1)</script>",
  "\ufeff<script>alert(1)</script>",
  "<\u200bscript>",
  "＜script＞alert(1)＜/script＞",
  "<summary><script>alert(1)</script></summary>",
  "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}",
  "<%= 1 %>",
  "]]><script>alert(1)</script>",
  "--><script>alert(1)</script>",
  "<title></title><script>alert(1)</script>",
  "[constructor](__proto__)",
];

const quiz = (text: string): string =>
  `### Quiz: ${line(text)}\n\n- A. ${line(text)}\n- B. x\n\n<details><summary>Answer</summary>\n\n**A.** ${line(text)}\n\n${text}\n\n</details>`;

/** The places of a lesson that take text. */
const PLACES: readonly (readonly [string, (text: string) => string])[] = [
  ["a paragraph", (text) => `before ${text} after`],
  ["a block", (text) => `before\n\n${text}\n\nafter`],
  ["a hint", (text) => `<details><summary>Hint: ${line(text)}</summary>\n\n${text}\n\n</details>`],
  ["a quiz", quiz],
  ["a list", (text) => `- one\n\n  ${text.replaceAll("\n", "\n  ")}\n`],
];

function line(text: string): string {
  return text.replaceAll("\n", " ");
}

function htmlOf(block: LessonBlock): readonly string[] {
  switch (block.kind) {
    case "html":
    case "hint":
      return [block.html];
    case "quiz":
    case "predict":
      return [block.html, ...block.options.map((option) => option.html)];
    case "code":
    case "run":
    case "edit":
    case "check":
      return [];
  }
}

/** Pieces of the HTML that are no allowed tag. */
function holes(text: string): readonly string[] {
  const { lesson } = parseLesson(aLesson(text));
  const html = (lesson?.view.blocks ?? []).flatMap(htmlOf).join("\n");
  return (html.match(/<[^>]*>?/g) ?? []).filter((tag) => !TAG.test(tag));
}

test("given the payloads and places, when they are counted, then there are hundreds", () => {
  expect(PAYLOADS.length * PLACES.length).toBeGreaterThan(400);
});

test.each(PLACES)(
  "given hostile text in %s, when it is rendered, then only tags of the list come out",
  (_, place) => {
    const found = PAYLOADS.flatMap((payload) => holes(place(payload)).map((hole) => `${payload} → ${hole}`));
    expect(found).toEqual([]);
  },
);

test("given any mix of hostile pieces, when it is rendered, then only tags of the list come out, and it never throws", {
  timeout: 60_000,
}, () => {
  const piece = fc.oneof(
    fc.constantFrom(...PAYLOADS),
    fc.string(),
    fc.constantFrom(
      "\n",
      "\n\n",
      "- ",
      "> ",
      "```",
      "## ",
      "<details><summary>x</summary>\n\n",
      "\n\n</details>\n",
      "`",
      "*",
      "[",
      "](",
      ")",
      '"',
      "<",
      ">",
      "&",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      expect(holes(pieces.join(""))).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test("given a table, a list, alerts and code, when they are rendered, then the tags of the list are really used", () => {
  const text = "|a|b|\n|:-:|--:|\n|x|y|\n\n3. x\n\n> [!NOTE]\n> x\n\n> q\n\n~~s~~ **b** *e* `c`<br>\n\n---\n";
  const { lesson, problems } = parseLesson(aLesson(text));
  const html = (lesson?.view.blocks ?? []).flatMap(htmlOf).join("");
  expect(problems).toEqual([]);
  for (const tag of [
    '<th class="align-center">',
    '<ol start="3">',
    "alert-note",
    "<blockquote>",
    "<s>",
    "<br>",
    "<hr>",
  ]) {
    expect(html).toContain(tag);
  }
});
