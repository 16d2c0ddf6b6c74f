import type { BinaryOperator, Expression, Node } from "./expression.ts";
import { ExpressionError, type Token, tokenize } from "./tokens.ts";
import { checkShape } from "./vocabulary.ts";

/** Bounds that no honest check comes near. */
const MAX_SOURCE = 1000;
const MAX_NODES = 200;
const MAX_DEPTH = 32;

/**
 * Parses a check expression and checks every name in it against the vocabulary.
 *
 * @throws ExpressionError with the column and what was meant instead.
 */
export function parseExpression(source: string): Expression {
  if (source.length > MAX_SOURCE) {
    throw new ExpressionError(`longer than ${MAX_SOURCE} characters`, MAX_SOURCE);
  }
  return { source, root: parseTokens(tokenize(source)) };
}

/** The same for tokens that were read already, as in a `{…}` of a sentence. */
export function parseTokens(tokens: readonly Token[]): Node {
  const parser = new Parser(tokens);
  const root = parser.parse();
  checkShape(root);
  return root;
}

const COMPARISONS: readonly string[] = ["==", "!=", "<", "<=", ">", ">="];

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #nodes = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Node {
    const root = this.#or();
    const rest = this.#peek();
    if (rest.kind !== "end") throw unexpected(rest);
    return root;
  }

  #or(): Node {
    return this.#nested(() => this.#leftAssociative(["or"], () => this.#and()));
  }

  #and(): Node {
    return this.#leftAssociative(["and"], () => this.#not());
  }

  #not(): Node {
    const token = this.#take("not");
    if (token === undefined) return this.#comparison();
    return this.#nested(() =>
      this.#node({ kind: "unary", at: token.at, operator: "not", operand: this.#not() }),
    );
  }

  #comparison(): Node {
    const left = this.#sum();
    const token = this.#take(...COMPARISONS);
    if (token === undefined) return left;
    const node = this.#node(binary(token, left, this.#sum()));
    const again = this.#take(...COMPARISONS);
    if (again !== undefined) throw new ExpressionError('two comparisons need "and" between them', again.at);
    return node;
  }

  #sum(): Node {
    return this.#leftAssociative(["+", "-"], () => this.#product());
  }

  #product(): Node {
    return this.#leftAssociative(["*", "/"], () => this.#negative());
  }

  #negative(): Node {
    const token = this.#take("-");
    if (token === undefined) return this.#postfix();
    return this.#nested(() =>
      this.#node({ kind: "unary", at: token.at, operator: "-", operand: this.#negative() }),
    );
  }

  #postfix(): Node {
    let node = this.#primary();
    for (;;) {
      const token = this.#take(".", "(", "[");
      if (token === undefined) return node;
      node = this.#suffix(node, token);
    }
  }

  #suffix(target: Node, token: Token & { value: unknown }): Node {
    if (token.value === ".") {
      const name = this.#next();
      if (name.kind !== "name") throw new ExpressionError('a property name follows "."', name.at);
      return this.#node({ kind: "member", at: name.at, target, name: name.value });
    }
    if (token.value === "(") {
      return this.#node({ kind: "call", at: target.at, target, args: this.#items(")") });
    }
    const index = this.#or();
    this.#expect("]");
    return this.#node({ kind: "index", at: token.at, target, index });
  }

  #primary(): Node {
    const token = this.#next();
    switch (token.kind) {
      case "number":
      case "string":
        return this.#node({ kind: "literal", at: token.at, value: token.value });
      case "regex":
        return this.#node({ kind: "regex", at: token.at, value: token.value });
      case "name":
        return this.#node(nameOrConstant(token.value, token.at));
      case "symbol":
        return this.#bracketed(token.value, token);
      case "end":
        throw unexpected(token);
    }
  }

  #bracketed(symbol: string, token: Token): Node {
    if (symbol === "[") return this.#node({ kind: "list", at: token.at, items: this.#items("]") });
    if (symbol !== "(") throw unexpected(token);
    const inner = this.#or();
    this.#expect(")");
    return inner;
  }

  /** Comma-separated values up to `close`, which is taken too. */
  #items(close: string): readonly Node[] {
    const items: Node[] = [];
    if (this.#take(close) !== undefined) return items;
    do items.push(this.#or());
    while (this.#take(",") !== undefined);
    this.#expect(close);
    return items;
  }

  #leftAssociative(operators: readonly string[], operand: () => Node): Node {
    let left = operand();
    for (;;) {
      const token = this.#take(...operators);
      if (token === undefined) return left;
      left = this.#node(binary(token, left, operand()));
    }
  }

  #nested(parse: () => Node): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new ExpressionError("nested too deeply", this.#peek().at);
    }
    const node = parse();
    this.#depth -= 1;
    return node;
  }

  #node(node: Node): Node {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw new ExpressionError(`more than ${MAX_NODES} parts`, node.at);
    return node;
  }

  #peek(): Token {
    return this.#tokens[this.#position] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#position += 1;
    return token;
  }

  /** Takes the next token if it is one of these symbols or words. */
  #take(...values: readonly string[]): Extract<Token, { value: string }> | undefined {
    const token = this.#peek();
    if (token.kind !== "symbol" && token.kind !== "name") return undefined;
    if (!values.includes(token.value)) return undefined;
    this.#position += 1;
    return token;
  }

  #expect(symbol: string): void {
    if (this.#take(symbol) === undefined) {
      const found = this.#peek();
      throw new ExpressionError(`expected "${symbol}" but found ${describe(found)}`, found.at);
    }
  }
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const RESERVED = ["and", "or", "not"];

function nameOrConstant(name: string, at: number): Node {
  const value = CONSTANTS.get(name);
  if (value !== undefined) return { kind: "literal", at, value };
  if (RESERVED.includes(name)) throw new ExpressionError(`a value is missing before "${name}"`, at);
  return { kind: "name", at, name };
}

function binary(token: Extract<Token, { value: string }>, left: Node, right: Node): Node {
  return { kind: "binary", at: token.at, operator: token.value as BinaryOperator, left, right };
}

function unexpected(token: Token): ExpressionError {
  return new ExpressionError(
    token.kind === "end" ? "the expression ends too early" : `did not expect ${describe(token)} here`,
    token.at,
  );
}

function describe(token: Token): string {
  if (token.kind === "end") return "the end";
  return token.kind === "regex" ? "a pattern" : JSON.stringify(String(token.value));
}
