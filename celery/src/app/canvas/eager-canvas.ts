import { randomUUID } from "node:crypto";
import type { AsyncResult, Receipt } from "../../backend/async-result.ts";
import { GroupResult } from "../../backend/group-result.ts";
import { InvalidArgument, TaskNotRegistered } from "../../protocol/errors.ts";
import type { ApplyOptions } from "../call-options.ts";
import type { AnyTask, CeleryApp } from "../types.ts";
import { callErrbacks, sortErrbacks } from "./errbacks.ts";
import { toApplyOptions } from "./options.ts";
import {
  type ChordSig,
  cloneSig,
  isChain,
  isChord,
  isChunks,
  isEmptyGroup,
  isGroup,
  listOf,
  makeGroup,
  makeMap,
  mergeArgs,
  mergeOptions,
  type Sig,
} from "./sig.ts";

type Sendable = AnyTask & {
  applyAsync(args: readonly unknown[], options: ApplyOptions): Promise<AsyncResult<unknown>>;
};

/**
 * Runs a signature here and now, one thing after the other: what `applyAsync` does under `task_always_eager`.
 *
 * @throws what a step of a chain, or of a chord's header, has thrown: there is nothing to hand on then.
 * @see celery 5.7.0 canvas.py, the `apply` of each kind
 */
export async function applyCanvasEagerly(
  app: CeleryApp,
  sig: Sig,
  args: readonly unknown[] = [],
): Promise<Receipt> {
  if (isChain(sig)) return applyChain(app, sig.kwargs.tasks, args, listOf(sig.options.link));
  if (isGroup(sig)) return applyGroup(app, sig.kwargs.tasks, args);
  if (isChord(sig)) return applyChord(app, sig, args);
  if (isChunks(sig)) return applyGroup(app, chunksOf(sig), []);
  return applyTask(app, sig, args);
}

async function applyChain(
  app: CeleryApp,
  tasks: readonly Sig[],
  args: readonly unknown[],
  links: readonly Sig[],
): Promise<Receipt> {
  let last: Receipt | undefined;
  const steps = tasks.filter((task) => !isEmptyGroup(task));
  for (const step of steps)
    last = await applyCanvasEagerly(app, cloneSig(step), last ? [await last.get()] : args);
  if (last === undefined) throw new InvalidArgument("An empty chain cannot be run.");
  for (const link of links) await applyCanvasEagerly(app, link, [await last.get()]);
  return last;
}

async function applyGroup(
  app: CeleryApp,
  tasks: readonly Sig[],
  args: readonly unknown[],
): Promise<GroupResult<unknown>> {
  const results: Receipt[] = [];
  for (const task of tasks) results.push(await applyCanvasEagerly(app, cloneSig(task), args));
  return new GroupResult(randomUUID(), results, { backend: () => app.backend(), insideTask: () => false });
}

async function applyChord(app: CeleryApp, sig: ChordSig, args: readonly unknown[]): Promise<Receipt> {
  const { header, body } = sig.kwargs;
  if (body === null) throw new InvalidArgument("A chord without a body cannot be run: chord(header, body).");
  const members = Array.isArray(header) ? header : header.kwargs.tasks;
  const results = await applyGroup(app, members, args);
  return applyCanvasEagerly(app, body, [await results.get()]);
}

async function applyTask(app: CeleryApp, sig: Sig, args: readonly unknown[]): Promise<Receipt> {
  const task = app.tasks.get(sig.task) as Sendable | undefined;
  if (task === undefined) throw new TaskNotRegistered(sig.task, [...app.tasks.keys()]);
  const merged = mergeArgs(sig, args);
  const { link, link_error, ...options } = mergeOptions(sig.options, {});
  const result = await task.applyAsync(merged.args, toApplyOptions(options, merged.kwargs));
  if (await result.successful()) {
    for (const callback of listOf(link)) await applyCanvasEagerly(app, callback, [await result.get()]);
  } else if (await result.failed()) await tellErrbacks(app, result, listOf(link_error));
  return result;
}

async function tellErrbacks(
  app: CeleryApp,
  result: AsyncResult<unknown>,
  errbacks: readonly Sig[],
): Promise<void> {
  const { inline, sent } = sortErrbacks(app, errbacks);
  const error = await result.get({ propagate: false });
  const failure = { request: { id: result.id }, error, traceback: await result.traceback() };
  await callErrbacks(app, inline, failure, (text) => void process.stderr.write(`${text}\n`));
  if (sent.length > 0) await applyCanvasEagerly(app, makeGroup([...sent]), [result.id]);
}

function chunksOf(sig: Sig): Sig[] {
  const { task, it, n } = sig.kwargs as { task: Sig; it: readonly unknown[]; n: number };
  const parts: Sig[] = [];
  for (let at = 0; at < it.length; at += n) parts.push(makeMap("xstarmap", task, it.slice(at, at + n)));
  return parts;
}
