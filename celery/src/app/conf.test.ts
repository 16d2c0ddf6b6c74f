import { expect, test } from "vitest";
import { ImproperlyConfigured } from "../protocol/errors.ts";
import { makeConf } from "./conf.ts";
import type { ConfInput } from "./conf-values.ts";

test("given no settings, then Celery's defaults are there", () => {
  const conf = makeConf();
  expect(conf).toMatchObject({
    task_default_queue: "celery",
    task_acks_late: false,
    task_time_limit: null,
    result_expires: 86_400,
    worker_prefetch_multiplier: 4,
    worker_pool: "prefork",
    task_publish_retry_policy: { max_retries: 3, interval_start: 0, interval_step: 0.2, interval_max: 1 },
    beat_schedule: {},
    timezone: null,
    accept_content: ["json"],
  });
});

test("given settings by assignment and by update, then both hold, and the revision grows", () => {
  const conf = makeConf({ task_time_limit: 300 });
  const before = conf.revision;
  conf.task_acks_late = true;
  conf.update({ task_time_limit: 10, timezone: "Europe/Berlin" });
  expect(conf).toMatchObject({ task_acks_late: true, task_time_limit: 10, timezone: "Europe/Berlin" });
  expect(conf.revision).toBe(before + 2);
});

test("given part of a nested setting, then the rest has its defaults", () => {
  const conf = makeConf();
  conf.task_publish_retry_policy = { max_retries: null };
  conf.beat_schedule = { nightly: { task: "tasks.retrain", schedule: 86_400 } };
  expect(conf.task_publish_retry_policy).toEqual({
    max_retries: null,
    interval_start: 0,
    interval_step: 0.2,
    interval_max: 1,
  });
  expect(conf.beat_schedule["nightly"]).toEqual({
    task: "tasks.retrain",
    schedule: 86_400,
    args: [],
    kwargs: {},
    options: {},
    enabled: true,
    relative: false,
  });
});

test.each([
  [{ task_tiem_limit: 3 }, 'There is no setting named "task_tiem_limit". Did you mean "task_time_limit"?'],
  [{ taskTimeLimit: 3 }, 'There is no setting named "taskTimeLimit". Did you mean "task_time_limit"?'],
  [{ nonsense_of_mine: 3 }, 'There is no setting named "nonsense_of_mine".'],
  [
    { broker_heartbeat: 1 },
    /"broker_heartbeat" is a setting of Celery that this library does not have: it is AMQP/,
  ],
  [
    { database_url: "x" },
    /"database_url" is a setting of Celery .* not have: results are kept in Redis only/,
  ],
  [
    { CELERYD_CONCURRENCY: 4 },
    '"CELERYD_CONCURRENCY" is an old name of "worker_concurrency". Write that instead.',
  ],
  [{ CELERY_TASK_ROUTES: {} }, '"CELERY_TASK_ROUTES" is an old name of "task_routes"'],
  [{ CELERY_ROUTES: {} }, '"CELERY_ROUTES" is an old name of "task_routes"'],
  [{ BROKER_URL: "x" }, '"BROKER_URL" is an old name of "broker_url"'],
  [{ CELERYD_TASK_TIME_LIMIT: 1 }, '"CELERYD_TASK_TIME_LIMIT" is an old name of "task_time_limit"'],
  [{ CELERYBEAT_SCHEDULE: {} }, '"CELERYBEAT_SCHEDULE" is an old name of "beat_schedule"'],
  [{ task_annotations: 5 }, /^task_annotations = 5: an object of task name/],
  [{ task_time_limit: "300" }, /^task_time_limit = "300": .*number/],
  [{ task_time_limit: -1 }, /^task_time_limit = -1: /],
  [{ task_serializer: "pickle" }, /^task_serializer = "pickle": only "json" is supported/],
  [{ accept_content: ["json", "yaml"] }, /^accept_content\.1 = "yaml": only "json"/],
  [{ timezone: "Mars/Olympus" }, /^timezone = "Mars\/Olympus": not a timezone name/],
  [{ task_publish_retry_policy: { max_retires: 1 } }, /max_retires/],
  [{ beat_schedule: { x: { task: "t", schedule: 0 } } }, /^beat_schedule\.x\.schedule = 0: /],
  [{ task_routes: 5 }, /^task_routes = 5: an object of task name/],
  [{ worker_pool: "fibers" }, /^worker_pool = "fibers"/],
])("given %j, then the error says what is wrong", (settings, message) => {
  expect(() => makeConf(settings as ConfInput)).toThrow(ImproperlyConfigured);
  expect(() => makeConf(settings as ConfInput)).toThrow(message);
});

test("given two configurations, when a default of one is changed in place, then the other has it as it was", () => {
  const changed = makeConf();
  changed.beat_schedule["nightly"] = { task: "t", schedule: 1 } as never;
  changed.task_publish_retry_policy = { interval_max: 9 };
  expect(makeConf().beat_schedule).toEqual({});
  expect(makeConf().task_publish_retry_policy.interval_max).toBe(1);
});

test("given settings that were changed, when they are set to undefined, then they have their defaults again", () => {
  const conf = makeConf({ task_time_limit: 5, broker_transport_options: { heartbeat_ttl: 3 } });
  conf.update({ task_time_limit: undefined, broker_transport_options: undefined } as unknown as ConfInput);
  expect(conf.task_time_limit).toBeNull();
  expect(conf.broker_transport_options.heartbeat_ttl).toBe(10);
});

test("given several faults, when updated, then all are told and nothing is changed", () => {
  const conf = makeConf();
  const faults = { task_acks_late: true, task_time_limit: "x", tsk_routes: null } as unknown as ConfInput;
  expect(() => conf.update(faults)).toThrow(/task_time_limit = "x".*\n.*tsk_routes/);
  expect(conf.task_acks_late).toBe(false);
});

test("given a setting that does not exist, when read or assigned, then that is an error; what others ask for is not", async () => {
  const conf = makeConf() as unknown as Record<string, unknown>;
  expect(() => conf["task_rooutes"]).toThrow(/Did you mean "task_routes"/);
  expect(() => {
    conf["task_rooutes"] = {};
  }).toThrow(/Did you mean "task_routes"/);
  expect(() => delete conf["task_routes"]).toThrow(/cannot be deleted/);
  expect(conf["then"]).toBeUndefined();
  expect(await Promise.resolve(conf)).toBe(conf);
  expect(JSON.parse(JSON.stringify(conf))).toMatchObject({ task_default_queue: "celery" });
});

test.each([
  ["threads", "async"],
  ["gevent", "async"],
  ["processes", "prefork"],
  ["solo", "solo"],
])(
  "given Celery's name %s for a pool, when it is set, then it is the pool that does the same: %s",
  (name, kind) => {
    expect(makeConf({ worker_pool: name as "solo" }).worker_pool).toBe(kind);
  },
);

test("given a setting that makes no sense here, when it is set, then the error says why it can go", () => {
  expect(() => makeConf({ worker_pool_putlocks: true } as object)).toThrow(
    '"worker_pool_putlocks" is not needed here: the pool takes a task only when it has room for it. Leave it out.',
  );
});
