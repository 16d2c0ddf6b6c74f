import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { confSettings } from "./conf-schema.ts";
import { explainUnknown } from "./setting-names.ts";

const { names } = JSON.parse(
  readFileSync(new URL("../../test/fixtures/setting-names.json", import.meta.url), "utf8"),
) as { names: string[] };

test.each(names)("given Celery's %s, then it is a setting here, or it is said why not", (name) => {
  if (Object.hasOwn(confSettings, name)) return;

  expect(explainUnknown(name)).toMatch(
    /is a setting of Celery that this library does not have: |is not needed here: /,
  );
});
