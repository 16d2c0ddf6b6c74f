import { StepRefused } from "../steps/errors.ts";
import { PaneBusy } from "../terminal/index.ts";
import { WorkspaceConflict, WorkspaceRefused } from "../workspace/workspace.ts";
import { PlaygroundRefusal } from "./playground.ts";

/** What a learner is told of an error: its own words where it was made for learners. `undefined` is a fault of ours. */
export function asRefusal(error: unknown): PlaygroundRefusal | undefined {
  if (error instanceof PlaygroundRefusal) return error;
  if (error instanceof StepRefused) return new PlaygroundRefusal(error.code, error.message, { cause: error });
  if (error instanceof PaneBusy) return new PlaygroundRefusal("busy", error.message, { cause: error });
  if (error instanceof WorkspaceConflict)
    return new PlaygroundRefusal("conflict", error.message, { cause: error });
  if (error instanceof WorkspaceRefused)
    return new PlaygroundRefusal("not-found", error.message, { cause: error });
  return undefined;
}
