/**
 * A step that was not started; `message` tells the learner why and what to do. `busy`: the pane runs something that the
 * learner may agree to stop. `failed`: something else has to happen first.
 */
export class StepRefused extends Error {
  readonly code: "busy" | "failed";

  constructor(code: "busy" | "failed", message: string) {
    super(message);
    this.code = code;
  }
}
