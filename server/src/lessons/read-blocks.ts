import type { Token } from "markdown-it";
import type { LessonBlock } from "../protocol/index.ts";
import { checkBlock, readCheck } from "./check-fence.ts";
import { editBlock, readEdit } from "./edit-fence.ts";
import { parseFenceInfo } from "./fence.ts";
import type { CheckSpec, EditSpec, StepSpec } from "./lesson.ts";
import { type MarkdownDocument, metaOf } from "./markdown.ts";
import {
  isAnswer,
  looksLikeQuestion,
  type Question,
  questionBlock,
  readAnswer,
  readOptions,
  readQuestion,
} from "./question.ts";
import type { Report } from "./report.ts";
import { type Fence, readStep, runBlock } from "./step-fence.ts";

/** A block and the line of the file where it begins. */
export interface PlacedBlock {
  readonly line: number;
  readonly block: LessonBlock;
}

/** What the body of a lesson says, in the order of the text. */
export interface Body {
  readonly blocks: readonly PlacedBlock[];
  readonly steps: readonly StepSpec[];
  readonly edits: readonly EditSpec[];
  readonly checks: readonly CheckSpec[];
  /** The files after every edit. */
  readonly filesAtEnd: ReadonlyMap<string, string>;
}

export interface BodyOptions {
  readonly lineOffset: number;
  readonly files: ReadonlyMap<string, string>;
  readonly report: Report;
}

/** Cuts a parsed document into blocks. Whatever can not be read is reported and left out. */
export function readBody(document: MarkdownDocument, options: BodyOptions): Body {
  const reader = new BodyReader(document, options);
  reader.read();
  return reader;
}

class BodyReader implements Body {
  readonly blocks: PlacedBlock[] = [];
  readonly steps: StepSpec[] = [];
  readonly edits: EditSpec[] = [];
  readonly checks: CheckSpec[] = [];
  readonly filesAtEnd: Map<string, string>;
  readonly #document: MarkdownDocument;
  readonly #report: Report;
  readonly #lineOffset: number;
  /** Ordinary tokens that wait to become one block of HTML. */
  #prose: Token[] = [];
  #at = 0;

  constructor(document: MarkdownDocument, options: BodyOptions) {
    this.#document = document;
    this.#report = options.report;
    this.#lineOffset = options.lineOffset;
    this.filesAtEnd = new Map(options.files);
  }

  read(): void {
    const { tokens } = this.#document;
    while (this.#at < tokens.length) this.#readOne(tokens[this.#at] as Token);
    this.#flush();
  }

  #readOne(token: Token): void {
    if (token.type === "fence") return this.#fence(this.#take(1)[0] as Token, false);
    if (metaOf(token).details !== undefined) return this.#details();
    if (token.type === "heading_open") return this.#heading();
    if (metaOf(token).detailsEnd) this.#report(this.#line(token), "</details> without <details>");
    const part = this.#take(this.#length());
    this.#refuseInside(part, "a list or a quote");
    this.#prose.push(...part);
  }

  #heading(): void {
    const heading = this.#take(3);
    const [open, inline] = heading;
    const question = readQuestion(inline);
    if (question !== undefined) return this.#question(question, this.#line(open));
    if (looksLikeQuestion(inline)) {
      this.#report(this.#line(open), 'write "### Quiz: question" or "### Predict (step-id): question"');
    }
    this.#prose.push(...heading);
  }

  #question(question: Question, line: number): void {
    const list = this.#peek()?.type === "bullet_list_open" ? this.#take(this.#length()) : [];
    const options = readOptions(list, this.#document);
    const answerTokens = isAnswer(this.#peek()) ? this.#takeDetails() : undefined;
    if (typeof options === "string") return this.#report(line, options);
    if (answerTokens === undefined) {
      return this.#report(line, "a question ends with <details><summary>Answer</summary> … </details>");
    }
    const answer = readAnswer(answerTokens, options, this.#document);
    if (typeof answer === "string") return this.#report(line, answer);
    this.#push(
      line,
      questionBlock(this.#number(question.locks === null ? "quiz" : "predict"), question, options, answer),
    );
  }

  #details(): void {
    const open = this.#peek();
    const line = this.#line(open);
    const summary = metaOf(open).details ?? "";
    if (isAnswer(open))
      this.#report(line, 'an Answer stands after the options of a "### Quiz: …" or "### Predict …"');
    const inside = this.#takeDetails();
    if (/^solution\b/i.test(summary)) return this.#solution(inside, line);
    this.#refuseInside(inside, "<details>");
    this.#push(line, {
      kind: "hint",
      id: this.#number("hint"),
      summary,
      html: this.#document.render(inside),
    });
  }

  #solution(inside: readonly Token[], line: number): void {
    const rest = inside.filter((token) => token.type !== "fence");
    if (rest.length > 0) this.#report(line, "a Solution holds edits only; say the rest before it");
    for (const token of inside.filter((each) => each.type === "fence")) this.#fence(token, true);
  }

  #fence(token: Token, inSolution: boolean): void {
    const fence: Fence = {
      info: parseFenceInfo(token.info),
      content: token.content,
      line: this.#line(token),
    };
    const { attributes, problems, lang } = fence.info;
    for (const problem of problems) this.#report(fence.line, problem);
    if (attributes.has("run")) return this.#step(fence);
    if (attributes.has("edit")) return this.#edit(fence, inSolution);
    if (attributes.has("check")) return this.#check(fence);
    for (const name of attributes.keys()) {
      this.#report(
        fence.line,
        `unknown attribute "${name}" on a code block (a block needs run=, edit= or check=)`,
      );
    }
    this.#push(fence.line, { kind: "code", lang, code: fence.content });
  }

  #step(fence: Fence): void {
    const step = readStep(fence, this.#report);
    if (step === undefined) return;
    this.steps.push(step);
    this.#push(fence.line, runBlock(step));
  }

  #edit(fence: Fence, inSolution: boolean): void {
    const edit = readEdit(fence, this.filesAtEnd, { inSolution, report: this.#report });
    if (edit === undefined) return;
    this.edits.push(edit);
    this.#push(fence.line, editBlock(edit));
  }

  #check(fence: Fence): void {
    const check = readCheck(fence, this.steps.at(-1)?.id ?? null, this.#report);
    if (check === undefined) return;
    this.checks.push(check);
    this.#push(fence.line, checkBlock(check));
  }

  /** Steps, edits and checks are blocks of the page; inside of other markdown they would be text only. */
  #refuseInside(tokens: readonly Token[], place: string): void {
    for (const token of tokens.filter((each) => each.type === "fence")) {
      const { attributes } = parseFenceInfo(token.info);
      const [name] = attributes.keys();
      if (name !== undefined)
        this.#report(this.#line(token), `a block with ${name} can not stand inside ${place}`);
    }
  }

  #push(line: number, block: LessonBlock): void {
    this.#flush();
    this.blocks.push({ line, block });
  }

  #flush(): void {
    const [first] = this.#prose;
    const html = this.#document.render(this.#prose);
    if (html.trim() !== "") this.blocks.push({ line: this.#line(first), block: { kind: "html", html } });
    this.#prose = [];
  }

  /** `hint-1`, `hint-2` … in the order of the text. */
  #number(kind: "hint" | "quiz" | "predict"): string {
    return `${kind}-${this.blocks.filter((placed) => placed.block.kind === kind).length + 1}`;
  }

  #peek(): Token | undefined {
    return this.#document.tokens[this.#at];
  }

  #take(count: number): readonly Token[] {
    const taken = this.#document.tokens.slice(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** How many tokens belong to the one that begins here. */
  #length(): number {
    let depth = 0;
    for (let length = 1; ; length += 1) {
      const token = this.#document.tokens[this.#at + length - 1];
      depth += token?.nesting ?? 0;
      if (depth <= 0 || token === undefined) return length;
    }
  }

  /** The tokens between `<details>` and its end, both taken. */
  #takeDetails(): readonly Token[] {
    const [open] = this.#take(1);
    const rest = this.#document.tokens.slice(this.#at);
    const end = rest.findIndex(
      (token) => metaOf(token).detailsEnd === true || metaOf(token).details !== undefined,
    );
    const isClosed = end !== -1 && metaOf(rest[end]).detailsEnd === true;
    if (!isClosed) this.#report(this.#line(open), "this <details> has no </details> of its own line");
    const inside = this.#take(end === -1 ? rest.length : end);
    if (isClosed) this.#take(1);
    return inside;
  }

  #line(token: Token | undefined): number {
    return this.#lineOffset + (token?.map?.[0] ?? 0) + 1;
  }
}
