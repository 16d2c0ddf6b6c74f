import type { JSX } from "preact";
import { Words } from "../ui/words.tsx";
import { Html } from "./html-block.tsx";

export interface OptionsProps {
  /** Groups the radios; unique on the page. */
  readonly name: string;
  /** The word before the question: "Predict" or "Quiz". */
  readonly kind: string;
  readonly question: string;
  readonly options: readonly { readonly letter: string; readonly html: string }[];
  readonly picked: string | null;
  readonly isLocked: boolean;
  /** Letter to mark as right; null while it must not show. */
  readonly right: string | null;
  readonly onPick: (letter: string) => void;
}

/** A question with one answer, as a native radio group. */
export function Options(props: OptionsProps): JSX.Element {
  return (
    <fieldset class="options" disabled={props.isLocked}>
      <legend>
        <span class="question-kind">{props.kind}:</span> <Words text={props.question} />
      </legend>
      {props.options.map((option) => (
        <label key={option.letter} class="option" data-verdict={verdict(props, option.letter)}>
          <input
            type="radio"
            name={props.name}
            value={option.letter}
            checked={props.picked === option.letter}
            onChange={() => props.onPick(option.letter)}
          />
          <span class="option-letter">{option.letter}</span>
          <Html html={option.html} class="option-text" />
        </label>
      ))}
    </fieldset>
  );
}

function verdict({ right, picked }: OptionsProps, letter: string): "right" | "wrong" | undefined {
  if (right === null) return undefined;
  if (letter === right) return "right";
  return letter === picked ? "wrong" : undefined;
}
