import { EventEmitter } from "node:events";
import type { CheckState } from "../protocol/index.ts";
import type { CheckBoard, CheckBoardOptions, CheckRule } from "./check-board.ts";
import { evaluate } from "./evaluate.ts";
import type { Facts } from "./facts.ts";
import { parseSentence, type Sentence, writeSentence } from "./sentence.ts";
import { isTrue } from "./values.ts";

interface Prepared extends CheckRule {
  readonly green: Sentence;
  readonly red: Sentence;
}

/** @throws ExpressionError for a sentence that the linter would have refused. */
export function openCheckBoard(options: CheckBoardOptions): CheckBoard {
  const rules = options.checks.map(prepare);
  const events: CheckBoard["events"] = new EventEmitter();
  const earlier = options.earlier?.filter((check) => check.state === "green") ?? [];
  let states = look(rules, options.facts(), earlier);
  const replace = (next: readonly CheckState[]): void => {
    const changed = JSON.stringify(next) !== JSON.stringify(states);
    states = next;
    if (changed) events.emit("changed", states);
  };
  return {
    events,
    states: () => states,
    evaluate: () => replace(look(rules, options.facts(), states)),
    reset: () => replace(look(rules, options.facts(), [])),
  };
}

function prepare(check: CheckRule): Prepared {
  return {
    ...check,
    green: parseSentence(check.because ?? check.title),
    red: parseSentence(check.otherwise),
  };
}

function look(
  rules: readonly Prepared[],
  facts: Facts,
  before: readonly CheckState[],
): readonly CheckState[] {
  return rules.map((rule) => {
    const earlier = before.find((state) => state.id === rule.id);
    return earlier?.state === "green" ? earlier : judge(rule, facts);
  });
}

function judge(rule: Prepared, facts: Facts): CheckState {
  try {
    return isTrue(evaluate(rule.that, facts))
      ? { id: rule.id, state: "green", message: writeSentence(rule.green, facts) }
      : { id: rule.id, state: "red", message: writeSentence(rule.red, facts) };
  } catch (error) {
    // Too many steps, or a value nested too deeply to compare: the check can say so, the others go on.
    return {
      id: rule.id,
      state: "red",
      message: `This check could not be evaluated: ${(error as Error).message}.`,
    };
  }
}
