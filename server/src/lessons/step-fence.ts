import { PANE_IDS, type PaneId, type RunBlock } from "../protocol/index.ts";
import { type FenceAttributes, type FenceInfo, parseSeconds } from "./fence.ts";
import type { StepSpec } from "./lesson.ts";
import type { Report } from "./report.ts";

/** A fence of the text. `line` is that of its first line. */
export interface Fence {
  readonly info: FenceInfo;
  readonly content: string;
  readonly line: number;
}

const KNOWN = [
  "run",
  "id",
  "label",
  "until",
  "expect",
  "exit",
  "timeout",
  "interrupt",
  "restart",
  "after",
  "type",
  "confirm",
];
const DEFAULT_TIMEOUT_SECONDS = 20;

/** Reads a fence with `run=`. Mistakes are reported, and what is left is still a step if it has pane and id. */
export function readStep(fence: Fence, report: Report): StepSpec | undefined {
  const { attributes } = fence.info;
  const say = (message: string): void => report(fence.line, message);
  reportUnknown(attributes, "run", KNOWN, say);
  if (!["sh", "bash"].includes(fence.info.lang))
    say(`a run block's language is sh, not "${fence.info.lang}"`);
  const command = fence.content.trim();
  if (command === "") say("a run block needs a command");
  const pane = readPane(attributes, say);
  const id = readId(attributes, "id", say);
  if (pane === undefined || id === undefined || command === "") return undefined;
  return {
    id,
    pane,
    command,
    until: readRegex(attributes, "until", say),
    expect: readRegex(attributes, "expect", say),
    exit: readExit(attributes, say),
    timeoutSeconds: readTimeout(attributes, say),
    interrupt: readFlag(attributes, "interrupt", say),
    restart: readFlag(attributes, "restart", say),
    after: readText(attributes, "after", say),
    type: readFlag(attributes, "type", say),
    confirm: readText(attributes, "confirm", say),
    label: readText(attributes, "label", say),
  };
}

export function runBlock(step: StepSpec): RunBlock {
  const { id, pane, command, label, confirm } = step;
  return { kind: "run", id, pane, command, label, confirm };
}

type Say = (message: string) => void;

export function reportUnknown(
  attributes: FenceAttributes,
  block: string,
  known: readonly string[],
  say: Say,
): void {
  for (const name of attributes.keys()) {
    if (!known.includes(name)) {
      say(
        `unknown attribute "${name}" on ${block === "edit" ? "an" : "a"} ${block} block (known: ${known.join(", ")})`,
      );
    }
  }
}

/** Ids are lower case with dashes: they go into addresses and check expressions. */
export function readId(attributes: FenceAttributes, name: string, say: Say): string | undefined {
  const id = attributes.get(name);
  if (id === undefined || id === true) {
    say(`${name}=… is missing`);
    return undefined;
  }
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(id)) say(`the id "${id}" is not of lower-case letters, digits and -`);
  return id;
}

export function readText(attributes: FenceAttributes, name: string, say: Say): string | null {
  const text = attributes.get(name);
  if (text === true || text === "") say(`${name}= needs a value`);
  return text === undefined || text === true || text === "" ? null : text;
}

export function readFlag(attributes: FenceAttributes, name: string, say: Say): boolean {
  const flag = attributes.get(name);
  if (flag !== undefined && flag !== true) say(`"${name}" stands alone, without a value`);
  return flag === true;
}

function readPane(attributes: FenceAttributes, say: Say): PaneId | undefined {
  const name = attributes.get("run");
  const pane = PANE_IDS.find((id) => id === name);
  if (pane === undefined) say(`pane "${name === true ? "" : name}" is not one of ${PANE_IDS.join(", ")}`);
  return pane;
}

/** `/text/i` or the bare pattern. */
function readRegex(attributes: FenceAttributes, name: string, say: Say): RegExp | null {
  const text = readText(attributes, name, say);
  if (text === null) return null;
  const slashed = /^\/(.*)\/(i?)$/s.exec(text);
  try {
    return slashed === null ? new RegExp(text) : new RegExp(slashed[1] ?? "", slashed[2]);
  } catch (error) {
    say(`${name}: ${(error as Error).message}`);
    return null;
  }
}

function readExit(attributes: FenceAttributes, say: Say): number | "any" {
  const text = readText(attributes, "exit", say);
  if (text === null) return 0;
  if (text === "any") return "any";
  if (/^\d{1,3}$/.test(text) && Number(text) < 256) return Number(text);
  say(`exit=${text} is neither "any" nor a status from 0 to 255`);
  return 0;
}

function readTimeout(attributes: FenceAttributes, say: Say): number {
  const text = readText(attributes, "timeout", say);
  if (text === null) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = parseSeconds(text);
  if (seconds === undefined) say(`timeout=${text} is no time like 20s or 2m`);
  return seconds ?? DEFAULT_TIMEOUT_SECONDS;
}
