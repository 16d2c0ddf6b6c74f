import { expect, test } from "vitest";
import { runCommand } from "../../test/support/command-run.ts";
import { Celery } from "../app/celery.ts";
import type { Command } from "./command.ts";
import { sayAnswer } from "./remote.ts";

test("given a node whose answer would command the terminal, when it is said, then it is shown", async () => {
  const answer = { node: "w1\n@\u001b]0;x", answer: { ok: ["\u001b[2J", "two\nlines"] } };
  const command: Command = {
    name: "say",
    summary: "",
    help: "",
    run: async (_args, context) => {
      sayAnswer(answer, context, true);
      return 0;
    },
  };
  const { stdout } = await runCommand(command, [], { app: new Celery("none") });
  expect(stdout).toBe("->  w1\\n@\\x1b]0;x: OK\n        * \\x1b[2J\n        * two\n        lines\n");
});
