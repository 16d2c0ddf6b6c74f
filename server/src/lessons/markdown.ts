import MarkdownIt, { type RendererRule, type Token } from "markdown-it";

type Markdown = InstanceType<typeof MarkdownIt>;

/** What a document is rendered with, and what is found on the way. Made once per lesson. */
export interface MarkdownContext {
  /** Line of the file before the markdown's first line. */
  readonly lineOffset: number;
  /** Told of markdown that is left out or shown as text; lines count from 1. */
  readonly problem: (line: number, message: string) => void;
  /** Told of every relative link, which is checked later. */
  readonly link: (line: number, link: RelativeLink) => void;
}

export type RelativeLink =
  | { readonly kind: "file"; readonly path: string; readonly from: number | null; readonly to: number | null }
  | { readonly kind: "lesson"; readonly slug: string }
  | { readonly kind: "anchor"; readonly id: string };

/** A parsed document: top-level tokens, and the way to turn a run of them into HTML. */
export interface MarkdownDocument {
  readonly tokens: readonly Token[];
  render(tokens: readonly Token[]): string;
}

/**
 * Parses markdown and takes everything out of it that the page must not have. What `render` returns has these tags
 * and no others: `h1`–`h6 p ul ol li a code pre em strong s blockquote table thead tbody tr th td hr br kbd div`;
 * attributes are made here, never copied.
 */
export function parseMarkdown(text: string, context: MarkdownContext): MarkdownDocument {
  const markdown = makeMarkdown();
  const tokens = markdown.parse(text, {});
  const slugs = new Map<string, number>();
  for (const [index, token] of tokens.entries()) {
    const line = context.lineOffset + (token.map?.[0] ?? 0) + 1;
    if (token.type === "heading_open") token.attrs = [["id", uniqueSlug(tokens[index + 1], slugs)]];
    if (token.type === "blockquote_open") makeAlert(tokens, index, line, context);
    if (token.type === "th_open" || token.type === "td_open") token.attrs = alignment(token);
    if (token.type === "html_block") markBlock(token, line, context);
    if (token.type === "inline") cleanInline(token, line, context);
    if (token.type === "ordered_list_open") token.attrs = startNumber(token);
  }
  return { tokens, render: (part) => markdown.renderer.render([...part], markdown.options, {}) };
}

function makeMarkdown(): Markdown {
  const markdown = new MarkdownIt("default", { html: true, linkify: false, typographer: false });
  // Bad targets are kept as links here, so that `cleanInline` can name them; it takes the target away.
  markdown.validateLink = () => true;
  const { rules } = markdown.renderer;
  const escaped: RendererRule = (tokens, index) => safeHtml(tokens[index], markdown);
  rules["html_block"] = escaped;
  rules["html_inline"] = escaped;
  rules["image"] = escaped;
  rules["fence"] = codeRule(markdown);
  rules["code_block"] = codeRule(markdown);
  rules["code_inline"] = (tokens, index) =>
    `<code>${markdown.utils.escapeHtml(tokens[index]?.content ?? "")}</code>`;
  rules["blockquote_open"] = (tokens, index) => openQuote(tokens[index]);
  return markdown;
}

/** What `cleanInline` and `markBlock` approved, else the text as text. */
function safeHtml(token: Token | undefined, markdown: Markdown): string {
  const approved = metaOf(token).html;
  return approved ?? markdown.utils.escapeHtml(token?.content ?? "");
}

/** What this module notes on tokens. */
export interface TokenMeta {
  readonly html?: string;
  readonly alert?: string;
  /** On the block of HTML that opens a `<details>`: its summary. */
  readonly details?: string;
  readonly detailsEnd?: true;
}

export function metaOf(token: Token | undefined): TokenMeta {
  return (token?.meta as TokenMeta | null) ?? {};
}

function codeRule(markdown: Markdown): RendererRule {
  return (tokens, index) => {
    const token = tokens[index];
    const language = /^[\w+-]+/.exec(token?.info ?? "")?.[0];
    const attribute = language === undefined ? "" : ` class="language-${language}"`;
    return `<pre><code${attribute}>${markdown.utils.escapeHtml(token?.content ?? "")}</code></pre>\n`;
  };
}

/** GitHub's slug of a heading: its text in lower case, spaces as `-`, punctuation dropped. */
function uniqueSlug(inline: Token | undefined, taken: Map<string, number>): string {
  const slug = plainText(inline)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
  const count = taken.get(slug) ?? 0;
  taken.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}

/** The words of an inline token without its marks. */
export function plainText(inline: Token | undefined): string {
  return (inline?.children ?? [])
    .map((child) => (child.type === "softbreak" || child.type === "hardbreak" ? " " : child.content))
    .join("");
}

const ALERTS: ReadonlyMap<string, string> = new Map([
  ["NOTE", "Note"],
  ["TIP", "Tip"],
  ["IMPORTANT", "Important"],
  ["WARNING", "Warning"],
  ["CAUTION", "Caution"],
]);

/** `> [!TIP]` becomes a box with a title; the tokens are changed in place. */
function makeAlert(tokens: readonly Token[], index: number, line: number, context: MarkdownContext): void {
  const [open, , inline] = tokens.slice(index, index + 3);
  const marker = inline?.type === "inline" ? /^\[!(\w+)\][ \t]*(?:\n|$)/.exec(inline.content) : null;
  if (open === undefined || inline?.type !== "inline" || marker === null) return;
  const name = marker[1] ?? "";
  if (!ALERTS.has(name)) {
    context.problem(line, `"[!${name}]" is not an alert (known: ${[...ALERTS.keys()].join(", ")})`);
    return;
  }
  const close = tokens.find(
    (each, at) => at > index && each.type === "blockquote_close" && each.level === open.level,
  );
  open.meta = { alert: name };
  if (close !== undefined) close.tag = "div";
  inline.children = (inline.children ?? []).slice(2);
}

function openQuote(token: Token | undefined): string {
  const name = metaOf(token).alert;
  const title = name === undefined ? undefined : ALERTS.get(name);
  if (title === undefined) return "<blockquote>\n";
  return `<div class="alert alert-${title.toLowerCase()}" role="note">\n<p class="alert-title">${title}</p>\n`;
}

/** Table cells are aligned by class: the page's security policy refuses `style`. */
function alignment(token: Token): Token["attrs"] {
  const side = /text-align:(left|center|right)/.exec(String(token.attrGet("style")))?.[1];
  return side === undefined ? null : [["class", `align-${side}`]];
}

function startNumber(token: Token): Token["attrs"] {
  const start = Number(token.attrGet("start") ?? 1);
  return start === 1 ? null : [["start", String(start)]];
}

const DETAILS = /^<details>\s*<summary>([^<>]+)<\/summary>\s*$/;

/** Blocks of HTML: comments are dropped, `<details>` at the top level is noted for the parser, the rest is refused. */
function markBlock(token: Token, line: number, context: MarkdownContext): void {
  const html = token.content.trim();
  const summary = DETAILS.exec(html)?.[1]?.trim();
  if (/^<!--(?:(?!-->)[\s\S])*-->$/.test(html)) token.meta = { html: "" };
  else if (token.level === 0 && summary !== undefined) token.meta = { html: "", details: summary };
  else if (token.level === 0 && html === "</details>") token.meta = { html: "", detailsEnd: true };
  else {
    const [first = ""] = html.split("\n");
    context.problem(
      line,
      `HTML is not allowed here: ${first} (only <details><summary>words</summary> and </details>, each alone between blank lines)`,
    );
  }
}

const INLINE_HTML: ReadonlyMap<string, string> = new Map([
  ["<kbd>", "<kbd>"],
  ["</kbd>", "</kbd>"],
  ["<br>", "<br>"],
  ["<br/>", "<br>"],
  ["<br />", "<br>"],
]);

function cleanInline(inline: Token, firstLine: number, context: MarkdownContext): void {
  let line = firstLine;
  const children = inline.children ?? [];
  const keys = children.filter((child) => child.type === "html_inline").map((child) => child.content);
  const keysPair = /^(?:<kbd><\/kbd>)*$/.test(keys.filter((tag) => tag.includes("kbd")).join(""));
  for (const child of children) {
    if (child.type === "softbreak" || child.type === "hardbreak") line += 1;
    if (child.type === "link_open") cleanLink(child, line, context);
    if (child.type === "image")
      context.problem(line, "images are not shown in lessons; describe it in words");
    if (child.type === "html_inline") cleanTag(child, line, keysPair, context);
  }
}

function cleanTag(token: Token, line: number, keysPair: boolean, context: MarkdownContext): void {
  const html = INLINE_HTML.get(token.content);
  if (html !== undefined && (keysPair || !html.includes("kbd"))) {
    token.meta = { html };
  } else if (/^<!--[\s\S]*-->$/.test(token.content)) {
    token.meta = { html: "" };
  } else {
    context.problem(
      line,
      `HTML is not allowed here: ${token.content} (only <kbd> in pairs, <br>, <details>)`,
    );
  }
}

function cleanLink(token: Token, line: number, context: MarkdownContext): void {
  const href = String(token.attrGet("href") ?? "");
  if (/^https?:\/\/[^/]/i.test(href)) {
    token.attrs = [
      ["href", href],
      ["target", "_blank"],
      ["rel", "noopener noreferrer"],
    ];
    return;
  }
  const link = relativeLink(href);
  token.attrs = link === undefined ? null : linkAttributes(link);
  if (link !== undefined) context.link(line, link);
  else {
    context.problem(
      line,
      `the link target "${href}" is none of https://…, files/…, ../NN-slug/lesson.md, #heading`,
    );
  }
}

function relativeLink(href: string): RelativeLink | undefined {
  const file = /^files\/((?:[\w-][\w.-]*\/)*[\w-][\w.-]*)(?:#L([1-9]\d{0,5})(?:-L([1-9]\d{0,5}))?)?$/.exec(
    href,
  );
  if (file !== null) {
    const from = file[2] === undefined ? null : Number(file[2]);
    return { kind: "file", path: file[1] ?? "", from, to: file[3] === undefined ? from : Number(file[3]) };
  }
  const lesson = /^\.\.\/(\d\d-[a-z0-9-]+)\/(?:lesson\.md)?$/.exec(href);
  if (lesson !== null) return { kind: "lesson", slug: lesson[1] ?? "" };
  const anchor = /^#([\p{L}\p{N}_%-]+)$/u.exec(href);
  return anchor === null ? undefined : { kind: "anchor", id: decode(anchor[1] ?? "") };
}

function linkAttributes(link: RelativeLink): [string, string][] {
  switch (link.kind) {
    case "anchor":
      return [["href", `#${encodeURIComponent(link.id)}`]];
    case "lesson":
      return [
        ["class", "lesson-link"],
        ["href", `/l/${link.slug}`],
        ["data-lesson", link.slug],
      ];
    case "file":
      return fileAttributes(link);
  }
}

function fileAttributes(link: Extract<RelativeLink, { kind: "file" }>): [string, string][] {
  const lines = link.from === null ? "" : `#L${link.from}${link.to === link.from ? "" : `-L${link.to}`}`;
  const attributes: [string, string][] = [
    ["class", "file-link"],
    ["href", `?file=${encodeURIComponent(link.path)}${lines}`],
    ["data-file", link.path],
  ];
  if (link.from === null) return attributes;
  return [...attributes, ["data-from", String(link.from)], ["data-to", String(link.to)]];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A stray "%" is the author's own.
  }
}
