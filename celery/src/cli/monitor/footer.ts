import type { Model } from "./model.ts";
import { BOLD, type Paint, REVERSE } from "./paint.ts";
import { fit, plain, shortId, shortName, width } from "./text.ts";

/** A key and what it does; where not all fit, the highest number goes first. */
type KeyHint = readonly [text: string, rank: number];

const KEYS: Readonly<Record<"tasks" | "details" | "help" | "answers", readonly KeyHint[]>> = {
  tasks: [
    ["↑↓ mark", 2],
    ["⏎ details", 1],
    ["c revoke", 3],
    ["t terminate", 4],
    ["l rate limit", 5],
    ["? help", 0],
    ["q quit", 0],
  ],
  details: [
    ["↑↓ scroll", 1],
    ["c revoke", 2],
    ["t terminate", 3],
    ["l rate limit", 4],
    ["q back", 0],
  ],
  help: [["any key: back", 0]],
  answers: [["any key: back", 0]],
};

/** The last line: which keys there are now. What must be known comes first. */
export function footer({ screen, state }: Model, columns: number, paint: Paint): string {
  switch (screen.kind) {
    case "rate": {
      const task = shortName(plain(screen.task), Math.max(12, Math.floor(columns / 3)));
      const text = ` Rate limit of ${task}: ${screen.text}█  e.g. 10/s, 5/m, 100/h, 0 for none · ⏎ set · Esc back`;
      return paint(fit(text, columns), BOLD);
    }
    case "confirm": {
      const verb = screen.terminate ? "Terminate" : "Revoke";
      const name = plain(state.tasks.get(screen.uuid)?.name ?? "");
      const text = ` ${verb}? y yes · any other key no · ${name} ${shortId(screen.uuid)}`;
      return paint(fit(text, columns), BOLD);
    }
    case "tasks":
    case "details":
    case "help":
    case "answers":
      return paint(fit(` ${hints(KEYS[screen.kind], columns - 1)}`, columns), REVERSE);
  }
}

function hints(keys: readonly KeyHint[], columns: number): string {
  const text = keys.map(([hint]) => hint).join(" · ");
  const last = Math.max(...keys.map(([, rank]) => rank));
  if (last === 0 || width(text) <= columns) return text;
  return hints(
    keys.filter(([, rank]) => rank < last),
    columns,
  );
}
