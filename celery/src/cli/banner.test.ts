import { expect, test } from "vitest";
import { maskUrl } from "../protocol/connection-url.ts";
import { type BannerFacts, renderBanner, renderTaskList } from "./banner.ts";

const queue = (name: string): BannerFacts["queues"][number] => ({
  queue: name,
  exchange: name,
  type: "direct",
  routingKey: name,
});

const FACTS: BannerFacts = {
  nodeName: "w1@vm",
  version: "5.6.3 (recovery)",
  nowMs: new Date(2026, 10, 21, 10, 49, 2).getTime(),
  appName: "labapp:0x7ff6f11b5c40",
  brokerUrl: "redis://127.0.0.1:6610/0",
  backendUrl: "redis://127.0.0.1:6610/1",
  concurrency: 2,
  pool: "prefork",
  taskEvents: true,
  queues: [queue("celery")],
};

/** Printed by celery 5.6.3, but for the platform, which is of the machine. */
const CAPTURED = ` 
 -------------- w1@vm v5.6.3 (recovery)
--- ***** ----- 
-- ******* ---- PLATFORM 2026-11-21 10:49:02
- *** --- * --- 
- ** ---------- [config]
- ** ---------- .> app:         labapp:0x7ff6f11b5c40
- ** ---------- .> transport:   redis://127.0.0.1:6610/0
- ** ---------- .> results:     redis://127.0.0.1:6610/1
- *** --- * --- .> concurrency: 2 (prefork)
-- ******* ---- .> task events: ON
--- ***** ----- 
 -------------- [queues]
                .> celery           exchange=celery(direct) key=celery
                
`;

test("given what a captured worker was started with, when the banner is rendered, then it is the captured one", () => {
  const banner = renderBanner(FACTS).replace(/^(-- \*{7} ---- )\S+( 2026)/m, "$1PLATFORM$2");

  expect(banner).toBe(CAPTURED);
});

test("given no results, no events and two queues, when the banner is rendered, then it says so, queues sorted", () => {
  const banner = renderBanner({
    ...FACTS,
    backendUrl: undefined,
    taskEvents: false,
    queues: [queue("training"), queue("celery")],
  });

  expect(banner).toContain(".> results:     disabled://\n");
  expect(banner).toContain(".> task events: OFF (enable -E to monitor tasks in this worker)\n");
  expect(banner).toMatch(
    /\[queues\]\n {16}\.> celery .*\n {16}\.> training         exchange=training\(direct\) key=training\n/,
  );
});

test("given tasks, when they are listed, then they are sorted as under Celery's banner", () => {
  expect(renderTaskList(["tasks.multiply", "tasks.add"])).toBe(
    "\n[tasks]\n  . tasks.add\n  . tasks.multiply\n",
  );
});

test.each([
  ["redis://:secret@host:6379/0", "redis://:**@host:6379/0"],
  ["redis://user:secret@host/0", "redis://user:**@host/0"],
  ["redis://:se@cret@host/0", "redis://:**@host/0"],
  ["redis://host:6379/0", "redis://host:6379/0"],
])("given %s, when it is shown, then it is %s", (url, shown) => {
  expect(maskUrl(url)).toBe(shown);
});
