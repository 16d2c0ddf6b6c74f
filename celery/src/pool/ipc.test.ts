import { expect, test } from "vitest";
import { aRequest } from "../../test/support/builders.ts";
import { decodeVerbatim, encodeJson } from "../protocol/json.ts";
import { packRequest, unpackRequest } from "./ipc.ts";

const BODY = '[[2.0, {"__type__": "decimal", "__value__": "1.10"}], {"index": 0}, {}]';
const CHORD = '{"task": "t", "args": [2.0]}';

test("given numbers that JavaScript cannot tell apart, when a task crosses to its process, then it gets its own, and what goes on from there is as it came", () => {
  const given = { bodyText: BODY, chord: decodeVerbatim(CHORD), headers: { rate: decodeVerbatim("5.0") } };
  const request = unpackRequest(packRequest(aRequest({ task: "tasks.mine", ...given })));
  expect(request).toMatchObject({ args: [2, "1.10"], headers: { rate: 5 } });
  expect(encodeJson(request.chord)).toBe(CHORD);
});

test("given a task of Celery's own that only gives on what it gets, when it crosses, then its arguments are as they came", () => {
  const { args, kwargs } = unpackRequest(
    packRequest(aRequest({ task: "celery.accumulate", bodyText: BODY })),
  );
  expect(encodeJson([args, kwargs, {}])).toBe(BODY);
});
