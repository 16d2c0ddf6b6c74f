import { expect, test } from "vitest";
import { hideSecrets } from "./hidden-settings.ts";

test("given settings with secrets at every depth, when they are shown, then names stay and secrets do not", () => {
  const shown = hideSecrets({
    broker_url: "sentinel://:top@one:26379;redis://user:se@cret@two/0?password=top&db=3",
    result_backend: "redis://:top@host/1",
    broker_transport_options: { sentinel_kwargs: { password: "top" }, visibility_timeout: 60 },
    redis_password: "top",
    api_keys: ["top", "top"],
    beat_schedule: { sync: { task: "sync", kwargs: { api_token: "top", deep: true }, args: [1] } },
    task_queues: [{ name: "mails", auth: { secret: "top" } }],
    timezone: null,
  });

  expect(shown).toEqual({
    broker_url: "sentinel://:**@one:26379;redis://user:**@two/0?db=3",
    result_backend: "redis://:**@host/1",
    broker_transport_options: { sentinel_kwargs: { password: "********" }, visibility_timeout: 60 },
    redis_password: "********",
    api_keys: "********",
    beat_schedule: { sync: { task: "sync", kwargs: { api_token: "********", deep: true }, args: [1] } },
    task_queues: [{ name: "mails", auth: { secret: "********" } }],
    timezone: null,
  });
});
