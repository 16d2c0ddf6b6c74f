import { app } from "./app.ts";
import { scoreSlowly } from "./slow.ts";

/** The same slow function, with a name that a worker can find it by. */
export const score = app.task("tasks.score", (text: string) => scoreSlowly(text));
