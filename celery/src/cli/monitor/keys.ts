const SEQUENCES: Readonly<Record<string, string>> = {
  "\u001b[A": "up",
  "\u001bOA": "up",
  "\u001b[B": "down",
  "\u001bOB": "down",
  "\u001b[5~": "pageup",
  "\u001b[6~": "pagedown",
  "\u001b[H": "home",
  "\u001b[1~": "home",
  "\u001bOH": "home",
  "\u001b[F": "end",
  "\u001b[4~": "end",
  "\u001bOF": "end",
  "\r": "enter",
  "\n": "enter",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u0003": "ctrl-c",
  "\u001b": "escape",
};

const ESCAPE = "\u001b";
/** What follows the escape in a sequence. */
const SEQUENCE = /^(?:\[[\d;]*[A-Za-z~]|O[A-Z])/;

/** The keys in what a terminal in raw mode sent at once: characters, and names of those that are none. */
export function readKeys(data: string): readonly string[] {
  const [typed = "", ...escaped] = data.split(ESCAPE);
  return [
    ...Array.from(typed).flatMap(readKey),
    ...escaped.flatMap((rest) => {
      const sequence = SEQUENCE.exec(rest)?.[0] ?? "";
      return [...readKey(ESCAPE + sequence), ...Array.from(rest.slice(sequence.length)).flatMap(readKey)];
    }),
  ];
}

/** Sequences and control characters of no meaning here are no keys. */
function readKey(text: string): readonly string[] {
  const name = SEQUENCES[text];
  if (name !== undefined) return [name];
  return text.length === 1 && text >= " " ? [text] : [];
}
