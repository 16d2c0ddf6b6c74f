import { readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const src = fileURLToPath(new URL("../src", import.meta.url));

/** Which files of `dist` hold which module of `src`, by their source maps. */
async function placesBySource(): Promise<ReadonlyMap<string, readonly string[]>> {
  const places = new Map<string, string[]>();
  const maps = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith(".js.map"));
  for (const file of maps) {
    const { sources } = JSON.parse(await readFile(join(dist, file), "utf8")) as {
      sources: readonly string[];
    };
    for (const source of sources) {
      const path = resolve(dist, file, "..", source);
      if (path.startsWith(src)) places.set(path, [...(places.get(path) ?? []), file]);
    }
  }
  return places;
}

test("given the built package, when its doors share a module, then there is one copy of it, whose classes are the same for all", async () => {
  const places = await placesBySource();

  expect(places.get(join(src, "protocol/errors.ts"))).toHaveLength(1);
  const doubled = [...places].filter(([, files]) => files.length > 1).map(([path]) => relative(src, path));
  expect(doubled).toEqual([]);
});

test("given the built package, when a program or a door of it is named, then it is there", async () => {
  const files = await readdir(dist, { recursive: true });

  expect(files).toEqual(
    expect.arrayContaining(
      [
        "index",
        "start-worker",
        "events/index",
        "observe/index",
        "cli/main",
        "pool/child-main",
        "transport/heartbeat-thread",
      ].map((name) => `${name}.js`),
    ),
  );
});
