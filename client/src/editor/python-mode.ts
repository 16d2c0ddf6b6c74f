import { StreamLanguage, type StringStream } from "@codemirror/language";

const KEYWORDS =
  /^(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/;
const ATOMS = /^(?:False|None|True)$/;

interface PythonState {
  /** The quotes that end the triple-quoted string we are in. */
  quotes: string | null;
}

/** Colours for Python files; the lessons' Python sides are short, so words are enough. */
export const python: StreamLanguage<PythonState> = StreamLanguage.define<PythonState>({
  name: "python",
  startState: () => ({ quotes: null }),
  copyState: (state) => ({ ...state }),
  token: (stream, state) =>
    state.quotes === null ? pythonToken(stream, state) : restOfString(stream, state),
  languageData: { commentTokens: { line: "#" }, indentOnInput: /^\s*(?:else|elif|except|finally)\b/ },
});

function pythonToken(stream: StringStream, state: PythonState): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return "comment";
  const triple = stream.match(/^[rbfu]{0,2}("""|''')/i);
  if (triple !== null && triple !== true && triple !== false) {
    state.quotes = triple[1] ?? null;
    return restOfString(stream, state);
  }
  if (stream.match(/^[rbfu]{0,2}(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)/i)) return "string";
  if (stream.match(/^\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/i)) return "number";
  if (stream.match(/^@[\w.]+/)) return "meta";
  if (stream.match(/^[A-Za-z_]\w*/)) return wordToken(stream);
  stream.next();
  return null;
}

function wordToken(stream: StringStream): string | null {
  const word = stream.current();
  if (KEYWORDS.test(word)) return "keyword";
  if (ATOMS.test(word)) return "atom";
  return stream.peek() === "(" ? "variableName.function" : "variableName";
}

function restOfString(stream: StringStream, state: PythonState): string {
  const end = stream.string.indexOf(state.quotes ?? "", stream.pos);
  if (end < 0) {
    stream.skipToEnd();
  } else {
    stream.pos = end + 3;
    state.quotes = null;
  }
  return "string";
}
