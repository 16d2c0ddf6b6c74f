import fc from "fast-check";
import { expect, test } from "vitest";
import { applyEdit, editState, placesOf, regionDiff } from "./edit.ts";
import type { EditSpec } from "./lesson.ts";

function anEdit(diff: string, change: Partial<EditSpec> = {}): EditSpec {
  return { id: "e", file: "tasks.ts", diff, region: null, replacement: null, solution: false, ...change };
}

const TEXT = "one\ntwo\nthree\nfour\nfive\n";

test.each([
  ["a changed line", " two\n-three\n+THREE\n four\n", "one\ntwo\nTHREE\nfour\nfive\n"],
  ["an added line", " two\n+two and a half\n three\n", "one\ntwo\ntwo and a half\nthree\nfour\nfive\n"],
  ["a removed line", " two\n-three\n four\n", "one\ntwo\nfour\nfive\n"],
  ["the first line", "-one\n+ONE\n two\n", "ONE\ntwo\nthree\nfour\nfive\n"],
  ["the last line", " four\n-five\n+FIVE\n", "one\ntwo\nthree\nfour\nFIVE\n"],
  ["two places", "-one\n+ONE\n@@\n-five\n+FIVE\n", "ONE\ntwo\nthree\nfour\nFIVE\n"],
])(
  "given a diff of %s, when it is applied, then the text is as wanted, and known as applied",
  (_, diff, expected) => {
    const edit = anEdit(diff);
    expect(editState(TEXT, edit)).toBe("open");
    expect(applyEdit(TEXT, edit)).toBe(expected);
    expect(editState(expected, edit)).toBe("applied");
  },
);

test("given a learner who changed the lines around, when a diff is applied, then it still finds its place", () => {
  const edit = anEdit(" one\n two\n-three\n+THREE\n four\n five\n");
  expect(applyEdit("ONE!\ntwo\nthree\nfour\nfive\n", edit)).toBe("ONE!\ntwo\nTHREE\nfour\nfive\n");
  expect(applyEdit("one\nTWO!\nthree\nFOUR!\nfive\n", edit)).toBe("one\nTWO!\nTHREE\nFOUR!\nfive\n");
});

test("given a learner who changed the line itself, when a diff is asked for, then it is a conflict", () => {
  const edit = anEdit(" two\n-three\n+THREE\n four\n");
  const mine = "one\ntwo\ndrei\nfour\nfive\n";
  expect(editState(mine, edit)).toBe("conflict");
  expect(applyEdit(mine, edit)).toBeUndefined();
});

test("given two places alike, when a diff is applied, then it does not guess", () => {
  const text = "a\nx\nb\na\nx\nb\n";
  expect(applyEdit(text, anEdit(" a\n-x\n+y\n b\n"))).toBeUndefined();
  expect(placesOf(text, " a\n-x\n+y\n b\n")).toBe(2);
});

test("given Windows line ends and spaces at ends, when a diff is applied, then they do not matter", () => {
  expect(applyEdit("one  \r\ntwo\r\n", anEdit(" one\n-two\n+TWO\n"))).toBe("one\nTWO\n");
});

test("given a context line that an editor stripped of its space, when a diff is applied, then it is an empty line", () => {
  expect(applyEdit("one\n\ntwo\n", anEdit(" one\n\n-two\n+TWO\n"))).toBe("one\n\nTWO\n");
});

test("given a diff of plus lines only, when there is no file, then it makes one; when there is, it is a conflict", () => {
  const edit = anEdit("+one\n+two\n");
  expect(editState("", edit)).toBe("open");
  expect(applyEdit("", edit)).toBe("one\ntwo\n");
  expect(editState("one\ntwo\n", edit)).toBe("applied");
  expect(editState("other\n", edit)).toBe("conflict");
});

test("given a region, when it is replaced, then whatever the learner wrote there is gone and the rest is left", () => {
  const text = "a\n  // #region body\nmine\n  // #endregion\nb\n";
  const edit = anEdit("", { region: "body", replacement: "new\nlines\n" });
  const after = "a\n  // #region body\nnew\nlines\n  // #endregion\nb\n";
  expect(editState(text, edit)).toBe("open");
  expect(applyEdit(text, edit)).toBe(after);
  expect(editState(after, edit)).toBe("applied");
  expect(editState("no markers\n", edit)).toBe("conflict");
  expect(regionDiff("no markers\n", "body", "x\n")).toBeUndefined();
});

test("given any text and any change of a block in it, when the diff is applied, then that is the changed text or a conflict", {
  timeout: 60_000,
}, () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "  d", "e {", "}"), {
    minLength: 3,
    maxLength: 15,
  });
  fc.assert(
    fc.property(
      lines,
      fc.nat(),
      fc.array(fc.constantFrom("x", "y", ""), { minLength: 1, maxLength: 3 }),
      (text, where, added) => {
        const at = 1 + (where % (text.length - 2));
        const diff = [
          ` ${text[at - 1]}`,
          `-${text[at]}`,
          ...added.map((line) => `+${line}`),
          ` ${text[at + 1]}`,
          "",
        ].join("\n");
        const wanted = [...text.slice(0, at), ...added, ...text.slice(at + 1)]
          .map((line) => `${line}\n`)
          .join("");
        const result = applyEdit(text.map((line) => `${line}\n`).join(""), anEdit(diff));
        const isUnique = placesOf(text.map((line) => `${line}\n`).join(""), diff) === 1;
        if (isUnique) expect(result).toBe(wanted);
        else expect(result).toBeUndefined();
      },
    ),
    { numRuns: 2000 },
  );
});
