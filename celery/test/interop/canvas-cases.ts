import { chain, chord, group } from "../../src/app/canvas/primitives.ts";
import type { Signature } from "../../src/app/canvas/signature.ts";
import type { CanvasTasks } from "./canvas-tasks.ts";

export type Any = Signature<unknown, unknown>;

export interface Case {
  readonly feature: string;
  /** The canvas as Python. */
  readonly python: string;
  readonly ours: () => Any;
  readonly value: unknown;
}

export const q = <S extends Any>(sig: S, queue: "ts" | "py"): S => sig.set({ queue });

/** One here, one there. */
export const alternate = (sigs: Any[], first: "ts" | "py" = "ts"): Any[] =>
  sigs.map((sig, index) => q(sig, (index % 2 === 0) === (first === "ts") ? "ts" : "py"));

/** Each once as Python says it and once as we do. */
export function canvasCases(tasks: () => CanvasTasks): readonly Case[] {
  const add = (...args: number[]): Any => tasks().add.s(...args);
  const mul = (...args: number[]): Any => tasks().mul.s(...args);
  const xsum = (): Any => tasks().xsum.s();
  return [
    {
      feature: "chain",
      python: "chain(alternate([add.s(2, 2), mul.s(8), add.s(1), mul.s(2)]))",
      ours: () => chain(alternate([add(2, 2), mul(8), add(1), mul(2)])),
      value: 66,
    },
    {
      feature: "chain, immutable steps",
      python: "chain(alternate([add.s(2, 2), mul.si(3, 4), add.s(1)], 'py'))",
      ours: () => chain(alternate([add(2, 2), tasks().mul.si(3, 4), add(1)], "py")),
      value: 13,
    },
    {
      feature: "group",
      python: "group(alternate([add.s(n, n) for n in range(6)]))",
      ours: () => group(alternate([0, 1, 2, 3, 4, 5].map((n) => add(n, n)))),
      value: [0, 2, 4, 6, 8, 10],
    },
    {
      feature: "chord",
      python: "chord(alternate([add.s(1, 1), add.s(2, 2)]), q(xsum.s(), 'ts'))",
      ours: () => chord(alternate([add(1, 1), add(2, 2)]), q(xsum(), "ts")),
      value: 6,
    },
    {
      feature: "chord",
      python: "chord(alternate([add.s(1, 1), add.s(2, 2)], 'py'), q(xsum.s(), 'py'))",
      ours: () => chord(alternate([add(1, 1), add(2, 2)], "py"), q(xsum(), "py")),
      value: 6,
    },
    {
      feature: "chord, results in order",
      python: "chord(alternate([echo.s(n) for n in range(20)]), q(echo.s(), 'ts'))",
      ours: () => chord(alternate(range(20).map((n) => tasks().echo.s(n))), q(tasks().echo.s(), "py")),
      value: range(20),
    },
    {
      feature: "chord, body is a chain",
      python: "chord(alternate([add.s(1, 1), add.s(2, 2)]), chain(q(xsum.s(), 'ts'), q(mul.s(10), 'py')))",
      ours: () => chord(alternate([add(1, 1), add(2, 2)]), chain(q(xsum(), "py"), q(mul(10), "ts"))),
      value: 60,
    },
    {
      feature: "chord, header has chains",
      python: "chord([chain(alternate([add.s(1, 1), mul.s(3)])), q(add.s(2, 2), 'py')], q(xsum.s(), 'ts'))",
      ours: () => chord([chain(alternate([add(1, 1), mul(3)], "py")), q(add(2, 2), "ts")], q(xsum(), "py")),
      value: 10,
    },
    {
      feature: "chord, header has chords",
      python:
        "chord([chord(alternate([add.s(1, 1), add.s(2, 2)]), q(xsum.s(), 'ts')), q(add.s(3, 3), 'py')], q(xsum.s(), 'py'))",
      ours: () =>
        chord(
          [chord(alternate([add(1, 1), add(2, 2)]), q(xsum(), "py")), q(add(3, 3), "ts")],
          q(xsum(), "ts"),
        ),
      value: 12,
    },
    {
      feature: "chord, header chain ends in a group",
      python:
        "chord([chain(q(add.s(1, 1), 'ts'), group(alternate([add.s(1), add.s(2)], 'py'))), q(add.s(9, 9), 'ts')], q(echo.s(), 'py'))",
      ours: () =>
        chord(
          [chain(q(add(1, 1), "py"), group(alternate([add(1), add(2)]))), q(add(9, 9), "py")],
          q(tasks().echo.s(), "ts"),
        ),
      value: [[3, 4], 18],
    },
    {
      feature: "chord, body is a group",
      python: "chord(alternate([add.s(1, 1), add.s(2, 2)]), group(alternate([xsum.s(), xsum.s()], 'py')))",
      ours: () => chord(alternate([add(1, 1), add(2, 2)]), group(alternate([xsum(), xsum()], "py"))),
      value: [6, 6],
    },
    {
      feature: "chain with a group inside",
      python:
        "chain(q(add.s(1, 1), 'ts'), group(alternate([add.s(10), add.s(20)])), q(xsum.s(), 'py'), q(mul.s(2), 'ts'))",
      ours: () =>
        chain(q(add(1, 1), "py"), group(alternate([add(10), add(20)])), q(xsum(), "ts"), q(mul(2), "py")),
      value: 68,
    },
    {
      feature: "chain ending in a group",
      python: "chain(q(add.s(1, 1), 'ts'), group(alternate([add.s(10), add.s(20)])))",
      ours: () => chain(q(add(1, 1), "py"), group(alternate([add(10), add(20)]))),
      value: [12, 22],
    },
    {
      feature: "chain of groups",
      python:
        "chain(group(alternate([add.s(1, 1), add.s(2, 2)])), q(xsum.s(), 'py'), group(alternate([mul.s(2), mul.s(3)])), q(xsum.s(), 'ts'))",
      ours: () =>
        chain(
          group(alternate([add(1, 1), add(2, 2)])),
          q(xsum(), "ts"),
          group(alternate([mul(2), mul(3)])),
          q(xsum(), "py"),
        ),
      value: 30,
    },
    {
      feature: "map",
      python: "q(xsum.map([[1, 2], [3]]), 'ts')",
      ours: () => q(tasks().xsum.map([[1, 2], [3]]), "py"),
      value: [3, 3],
    },
    {
      feature: "starmap",
      python: "q(add.starmap([(1, 2), (3, 4)]), 'ts')",
      ours: () =>
        q(
          tasks().add.starmap([
            [1, 2],
            [3, 4],
          ]),
          "py",
        ),
      value: [3, 7],
    },
    {
      feature: "chunks",
      python: "group(alternate(list(add.chunks([(n, n) for n in range(5)], 2).group().tasks)))",
      ours: () =>
        q(
          tasks().add.chunks(
            range(5).map((n) => [n, n]),
            2,
          ),
          "py",
        ),
      value: [[0, 2], [4, 6], [8]],
    },
    {
      feature: "replace",
      python: "chain(q(replaced.s(dict(q(add.s(4, 4), 'py'))), 'ts'), q(mul.s(2), 'py'))",
      ours: () => chain(q(tasks().replaced.s(q(add(4, 4), "ts")), "py"), q(mul(2), "ts")),
      value: 16,
    },
    {
      feature: "replace with a chain",
      python: "q(replaced.s(dict(chain(q(add.s(4, 4), 'ts'), q(mul.s(3), 'py')))), 'ts')",
      ours: () => q(tasks().replaced.s(chain(q(add(4, 4), "py"), q(mul(3), "ts"))), "py"),
      value: 24,
    },
    {
      feature: "replace with a group",
      python: "chain(q(replaced_by_group.s([1, 2, 3], 'py'), 'ts'), q(xsum.s(), 'py'))",
      ours: () => chain(q(tasks().replacedByGroup.s([1, 2, 3], "ts"), "py"), q(xsum(), "ts")),
      value: 9,
    },
    {
      feature: "replace in a chord",
      python:
        "chord([q(replaced.s(dict(q(add.s(4, 4), 'py'))), 'ts'), q(add.s(1, 1), 'py')], q(xsum.s(), 'ts'))",
      ours: () =>
        chord([q(tasks().replaced.s(q(add(4, 4), "ts")), "py"), q(add(1, 1), "ts")], q(xsum(), "py")),
      value: 10,
    },
    {
      feature: "add_to_chord",
      python: "chord([q(grow.s(1), 'ts'), q(add.s(1, 1), 'py')], q(xsum.s(), 'py'))",
      ours: () => chord([q(tasks().grow.s(1), "py"), q(add(1, 1), "ts")], q(xsum(), "ts")),
      value: 104,
    },
    {
      feature: "stamps",
      python: "q(stamps.s(), 'ts').stamp(tenant='a')",
      ours: () => q(tasks().stamps.s(), "py").stamp({ tenant: "a" }),
      value: { names: ["tenant"], stamps: { tenant: "a" } },
    },
  ];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
