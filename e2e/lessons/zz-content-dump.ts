import { startPlayground } from "../support/playground.ts";
import { PageSession } from "./page-session.ts";
import { readySlugs } from "./ready-slugs.ts";

const slug = readySlugs().find((s) => s.includes(process.argv[2] ?? ""))!;
await using playground = await startPlayground();
await using session = await PageSession.open(playground);
await session.until(({ redis }) => redis?.up === true, 20);
await session.ask({ type: "open-lesson", lesson: slug });
await session.until(({ lesson }) => lesson?.slug === slug, 20);
for (const block of session.state.lesson!.blocks) {
  if (block.kind === "run") {
    await session.ask({ type: "run", step: block.id, force: false });
    await session.until(
      ({ steps }) => ["done", "ready", "failed"].includes(steps[block.id]?.phase ?? ""),
      180,
    );
    console.log(`## ${block.id}: ${JSON.stringify(session.state.steps[block.id])}`);
  }
  if (block.kind === "edit") await session.ask({ type: "apply-edit", edit: block.id });
  if (block.kind === "check") {
    const get = () => session.state.checks.find((c) => c.id === block.id);
    const before = get()?.message;
    await session.until(() => get()?.state === "green", 60);
    console.log(`   check ${block.id} ${get()?.state}: ${get()?.message}   [was: ${before}]`);
  }
}
console.log(await session.paneTexts(400));
