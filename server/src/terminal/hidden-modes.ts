import type { Terminal } from "@xterm/headless";

/** Private modes that xterm's public interface does not tell, with the state that a new terminal has them in. */
const MODES: ReadonlyMap<number, "h" | "l"> = new Map([
  [25, "h"], // cursor shown
  [1006, "l"], // mouse reports as text
]);

/**
 * Follows what xterm's public interface does not tell, and full-screen programs need after a snapshot: a hidden cursor,
 * the kind of mouse report, the scrolling region.
 *
 * @returns the sequences to put behind a snapshot, now.
 */
export function trackHiddenModes(terminal: Terminal): () => string {
  const modes = new Map(MODES);
  const forget = (): false => {
    for (const [mode, state] of MODES) modes.set(mode, state);
    return false;
  };
  const set = (state: "h" | "l") => (params: (number | number[])[]) => {
    for (const mode of params) if (typeof mode === "number" && MODES.has(mode)) modes.set(mode, state);
    return false;
  };
  const { parser } = terminal;
  parser.registerCsiHandler({ prefix: "?", final: "h" }, set("h"));
  parser.registerCsiHandler({ prefix: "?", final: "l" }, set("l"));
  parser.registerEscHandler({ final: "c" }, forget);
  parser.registerCsiHandler({ intermediates: "!", final: "p" }, forget);
  const region = trackRegion(terminal);
  return () => {
    const changed = [...modes].filter(([mode, state]) => MODES.get(mode) !== state);
    return region() + changed.map(([mode, state]) => `\x1b[?${mode}${state}`).join("");
  };
}

/** Setting the region moves the cursor home, so it has to go back to where it was. */
function trackRegion(terminal: Terminal): () => string {
  let region: { readonly top: number; readonly bottom: number; readonly of: string } | undefined;
  const forget = (): false => {
    region = undefined;
    return false;
  };
  const { parser } = terminal;
  parser.registerCsiHandler({ final: "r" }, ([first, last]) => {
    const top = number(first) || 1;
    const bottom = Math.min(number(last) || terminal.rows, terminal.rows);
    const whole = top === 1 && bottom === terminal.rows;
    region = whole || bottom <= top ? undefined : { top, bottom, of: terminal.buffer.active.type };
    return false;
  });
  parser.registerEscHandler({ final: "c" }, forget);
  parser.registerCsiHandler({ intermediates: "!", final: "p" }, forget);
  terminal.onResize(() => forget());
  return () => {
    const { type, cursorX, cursorY } = terminal.buffer.active;
    if (region === undefined || region.of !== type || terminal.modes.originMode) return "";
    return `\x1b[${region.top};${region.bottom}r\x1b[${cursorY + 1};${cursorX + 1}H`;
  };
}

function number(param: number | number[] | undefined): number {
  return typeof param === "number" ? param : 0;
}
