import { expect, test } from "vitest";
import { UsageError } from "./command.ts";
import { nearest, type OptionSpec, parseOptions, renderHelp } from "./options.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "concurrency", short: "c", value: "N", help: "How many." },
  { name: "loglevel", short: "l", value: "LEVEL", help: "How much.", group: "Worker Options" },
  { name: "task-events", short: "E", aliases: ["events"], help: "Tell." },
  { name: "beat", short: "B", help: "Tick." },
];

test.each([
  { args: ["--concurrency", "2"], values: { concurrency: "2" } },
  { args: ["--concurrency=2"], values: { concurrency: "2" } },
  { args: ["-c", "2"], values: { concurrency: "2" } },
  { args: ["-c2"], values: { concurrency: "2" } },
  { args: ["-EBc2"], values: { "task-events": true, beat: true, concurrency: "2" } },
  { args: ["--events"], values: { "task-events": true } },
  { args: ["-l", "info", "-l", "debug"], values: { loglevel: "debug" } },
  { args: ["--loglevel="], values: { loglevel: "" } },
  { args: ["--help"], values: { help: true } },
])("given $args, when parsed, then the values are by long name", ({ args, values }) => {
  expect(parseOptions(SPECS, args).values).toEqual(values);
});

test("given a sub-command, when parsed up to the first positional, then the rest is left alone", () => {
  const parsed = parseOptions(SPECS, ["-c", "2", "worker", "-l", "info"], { stopAtPositional: true });

  expect(parsed).toMatchObject({ values: { concurrency: "2" }, rest: ["worker", "-l", "info"] });
});

test("given --, when parsed, then what follows is positional", () => {
  expect(parseOptions(SPECS, ["--", "-c"], { maxPositionals: 1 }).positionals).toEqual(["-c"]);
});

test.each([
  { args: ["--concurency", "2"], message: "No such option '--concurency'. Did you mean '--concurrency'?" },
  { args: ["-x"], message: "No such option '-x'." },
  { args: ["-c"], message: "Option '-c' requires an argument." },
  { args: ["--beat=1"], message: "Option '--beat' does not take a value." },
  { args: ["one", "two"], message: "Got unexpected extra arguments (one two)" },
])("given $args, when parsed, then the error is click's", ({ args, message }) => {
  expect(() => parseOptions(SPECS, args)).toThrow(new UsageError(message));
});

test("given a misspelt word, when the nearest is asked for, then only close ones come, closest first", () => {
  expect(nearest("works", ["beat", "worker", "work", "purge"])).toEqual(["work", "worker"]);
});

test("given options in groups, when help is rendered, then it has click's two columns", () => {
  const help = renderHelp({ usage: "celery x [OPTIONS]", about: "Does x.", options: SPECS });

  expect(help).toBe(
    [
      "Usage: celery x [OPTIONS]",
      "",
      "  Does x.",
      "",
      "Options:",
      "  -c, --concurrency N          How many.",
      "  -E, --task-events, --events  Tell.",
      "  -B, --beat                   Tick.",
      "  --help                       Show this message and exit.",
      "",
      "Worker Options:",
      "  -l, --loglevel LEVEL  How much.",
      "",
    ].join("\n"),
  );
});
