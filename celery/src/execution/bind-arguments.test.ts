import { expect, test } from "vitest";
import { bindArguments } from "./bind-arguments.ts";
import { readSignature } from "./parameters.ts";

type AnyFunction = (...args: never[]) => unknown;

function bind(run: AnyFunction, args: readonly unknown[], kwargs: Record<string, unknown> = {}): unknown {
  return bindArguments("tasks.add", readSignature(run, false), { args, kwargs });
}

const add = (x: number, y: number): number => x + y;
const scaled = (x: number, factor = 2): number => x * factor;
const any = (x: number, ...more: unknown[]): unknown => [x, more];
const shaped = (x: number, { deep, flat }: { deep?: boolean; flat?: boolean }): unknown => [x, deep, flat];
const keywords = (x: number, kwargs: Record<string, unknown>): unknown => [x, kwargs];

test.each<[string, AnyFunction, readonly unknown[], Record<string, unknown>, readonly unknown[]]>([
  ["all by position", add, [1, 2], {}, [1, 2]],
  ["all by name", add, [], { y: 2, x: 1 }, [1, 2]],
  ["mixed", add, [1], { y: 2 }, [1, 2]],
  ["a null by name", add, [1], { y: null }, [1, null]],
  ["a default left out", scaled, [1], {}, [1]],
  ["a default by name", scaled, [1], { factor: 3 }, [1, 3]],
  ["a rest", any, [1, 2, 3], {}, [1, 2, 3]],
  ["keywords that are nobody's, with a rest", any, [1, 2], { z: 3 }, [1, 2, { z: 3 }]],
  ["a destructured last parameter", shaped, [1], { deep: true }, [1, { deep: true }]],
  ["the same, by position", shaped, [1, { flat: true }], {}, [1, { flat: true }]],
  ["the same, with nothing for it", shaped, [1], {}, [1, {}]],
  ["a parameter named kwargs", keywords, [], { x: 1, a: 2, b: 3 }, [1, { a: 2, b: 3 }]],
])("given %s, when bound, then the function gets them in their places", (_what, run, args, kwargs, bound) => {
  expect(bind(run, args, kwargs)).toEqual(bound);
});

// Python's words, from CPython 3.11 with the same signatures.
test.each<[AnyFunction, readonly unknown[], Record<string, unknown>, string]>([
  [add, [1], {}, "tasks.add() missing 1 required positional argument: 'y'"],
  [add, [], {}, "tasks.add() missing 2 required positional arguments: 'x' and 'y'"],
  [
    (a: number, b: number, c: number) => [a, b, c],
    [],
    {},
    "tasks.add() missing 3 required positional arguments: 'a', 'b', and 'c'",
  ],
  [add, [], { y: 1 }, "tasks.add() missing 1 required positional argument: 'x'"],
  [(toString: string) => toString, [], {}, "tasks.add() missing 1 required positional argument: 'toString'"],
  [add, [1, 2, 3], {}, "tasks.add() takes 2 positional arguments but 3 were given"],
  [scaled, [1, 2, 3], {}, "tasks.add() takes from 1 to 2 positional arguments but 3 were given"],
  [() => 1, [1], {}, "tasks.add() takes 0 positional arguments but 1 was given"],
  [add, [1, 2], { y: 1 }, "tasks.add() got multiple values for argument 'y'"],
  [add, [1], { y: 1, z: 2 }, "tasks.add() got an unexpected keyword argument 'z'"],
  [shaped, [1, {}], { deep: true }, "tasks.add() got an unexpected keyword argument 'deep'"],
])("given %s called with %j and %j, when bound, then it is a TypeError: %s", (run, args, kwargs, message) => {
  expect(() => bind(run, args, kwargs)).toThrow(new TypeError(message));
});

test("given a function whose source does not tell, when keywords come, then they are one object after the others", () => {
  expect(bindArguments("t", null, { args: [1], kwargs: { z: 2 } })).toEqual([1, { z: 2 }]);
});
