import { expect, test } from "vitest";
import { findRoute, type TaskRoutes } from "./routes.ts";

const table: TaskRoutes = {
  "tasks.*": "default",
  "tasks.retrain": { queue: "training", priority: 3 },
  "*.slow": "slow",
  "feed.?": "short",
};

test.each([
  ["tasks.retrain", { queue: "training", priority: 3 }],
  ["tasks.add", { queue: "default" }],
  ["other.slow", { queue: "slow" }],
  ["tasks.slow", { queue: "default" }],
  ["feed.a", { queue: "short" }],
  ["feed.ab", {}],
  ["nothing", {}],
  ["__proto__", {}],
  ["constructor", {}],
])("given a table, when %s is routed, then exact names win over globs, globs in order", (name, route) => {
  expect(findRoute(table, name, [], {})).toEqual(route);
});

test("given functions and tables in a list, when routed, then the first answer counts", () => {
  const routes: TaskRoutes = [
    (name, args) => (name === "tasks.add" && args[0] === 1 ? "ones" : null),
    { "tasks.*": "rest" },
  ];
  expect(findRoute(routes, "tasks.add", [1], {})).toEqual({ queue: "ones" });
  expect(findRoute(routes, "tasks.add", [2], {})).toEqual({ queue: "rest" });
});

test("given a single function or nothing, when routed, then that is all there is", () => {
  expect(findRoute((_name, _args, kwargs) => String(kwargs["to"]), "x", [], { to: "there" })).toEqual({
    queue: "there",
  });
  expect(findRoute(null, "x", [], {})).toEqual({});
});
