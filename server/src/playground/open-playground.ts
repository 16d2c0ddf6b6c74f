import { mkdir } from "node:fs/promises";
import type { Logger } from "pino";
import { loadCourse } from "../lessons/course.ts";
import { watchCourse } from "../lessons/watch-course.ts";
import { openLive } from "../live/open-live.ts";
import type { PtyRung } from "../protocol/index.ts";
import { type OwnRedis, openBroker, type RedisSource } from "../redis/index.ts";
import { openStepRunner } from "../steps/open-step-runner.ts";
import { choosePty } from "../terminal/index.ts";
import { LearnersPlayground } from "./learners-playground.ts";
import type { Playground } from "./playground.ts";
import { openPanes } from "./session-panes.ts";

export interface PlaygroundOptions {
  readonly version: string;
  /** Folder of the lessons. */
  readonly lessons: string;
  /** Folder of the learner's files. */
  readonly workspace: string;
  readonly source: RedisSource;
  /** `undefined` for an external Redis. */
  readonly own: OwnRedis | undefined;
  /** The whole environment of the shells, with `REDIS_URL` and the session's marker. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts back what the shells need of the session's own folder, where somebody removed it. */
  readonly equip: () => Promise<void>;
  readonly pty: PtyRung | undefined;
  readonly log: Logger;
}

/**
 * Opens the panes, types `redis-server` into the broker's when Redis is ours, and begins to observe. No lesson is open
 * until a page asks for one.
 */
export async function openPlayground(options: PlaygroundOptions): Promise<Playground> {
  const { env, log, workspace } = options;
  await mkdir(workspace, { recursive: true });
  const [course, pty] = await Promise.all([
    loadCourse(options.lessons),
    choosePty({ env, log, forced: options.pty }),
  ]);
  for (const problem of course.problems) log.warn(problem, "a lesson has a mistake");
  const broker = openBroker(options.source, options.own);
  const panes = await openPanes({ cwd: workspace, env, pty, log });
  const steps = openStepRunner({ pane: (id) => panes[id], log });
  const live = openLive({ redisUrl: broker.url, panes: (id) => panes[id], steps, log });
  const playground = new LearnersPlayground({
    version: options.version,
    workspaceRoot: workspace,
    course,
    broker,
    panes,
    steps,
    live,
    equip: options.equip,
    log,
  });
  playground.own(live.watch());
  playground.own(watchCourse(options.lessons, (newest) => playground.courseChanged(newest)));
  playground.begin();
  return playground;
}
