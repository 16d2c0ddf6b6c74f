/** A parsed check expression. Made by `parseExpression`, read by `evaluate`; the grammar is in `README.md`. */
export interface Expression {
  readonly source: string;
  readonly root: Node;
}

export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or" | "+" | "-" | "*" | "/";

/** `at` is the column in the source where the node starts, from 0. */
export type Node =
  | { readonly kind: "literal"; readonly at: number; readonly value: number | string | boolean | null }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: "regex"; readonly at: number; readonly value: RegExp }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  | { readonly kind: "member"; readonly at: number; readonly target: Node; readonly name: string }
  | { readonly kind: "index"; readonly at: number; readonly target: Node; readonly index: Node }
  | { readonly kind: "call"; readonly at: number; readonly target: Node; readonly args: readonly Node[] }
  | { readonly kind: "unary"; readonly at: number; readonly operator: "not" | "-"; readonly operand: Node }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Node;
      readonly right: Node;
    };
