import { chain, TaskError } from "celery";
import { app, report, words } from "./tasks.ts";

const text = "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer";

/** TypeScript, Python, TypeScript: each step goes to its own queue by the routes. */
const pipeline = (text: string) =>
  chain(words.s(text), app.signature("fleet.count", [], { kwargs: { most: 2 } }), report.s());

console.log(await (await pipeline(text).delay()).get({ timeout: 30 }));

try {
  await (await pipeline("").delay()).get({ timeout: 30 });
} catch (error) {
  if (!(error instanceof TaskError)) throw error;
  console.log(`${error.excType} from Python: ${String(error.excMessage)}`);
}
await app.close();
