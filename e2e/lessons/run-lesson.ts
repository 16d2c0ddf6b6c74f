import { startPlayground } from "../support/playground.ts";
import { PageSession } from "./page-session.ts";
import { readySlugs } from "./ready-slugs.ts";
import { runThrough } from "./run-through.ts";

/**
 * `npx tsx e2e/lessons/run-lesson.ts 03-delay` runs one lesson on a playground of its own and prints every step. Part
 * of a slug is enough; without one, all lessons run.
 */
const wanted = process.argv[2] ?? "";
const slugs = readySlugs().filter((slug) => slug.includes(wanted));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (slugs.length === 0) say(`No ready lesson is called "${wanted}". There are: ${readySlugs().join(", ")}`);

await using playground = await startPlayground();
await using session = await PageSession.open(playground);
process.exitCode = slugs.length === 0 ? 1 : 0;
for (const slug of slugs) {
  say(slug);
  try {
    const { seconds, steps, checks } = await runThrough(session, slug, (line) => say(`  ${line}`));
    say(`  ok: ${steps} steps, ${checks} checks, ${seconds.toFixed(1)} s`);
  } catch (error) {
    say(
      `  ${(error as Error).message}\n--- server\n${playground.output().split("\n").slice(-10).join("\n")}`,
    );
    process.exitCode = 1;
  }
}
