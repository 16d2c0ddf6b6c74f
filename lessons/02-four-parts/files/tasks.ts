import { setTimeout as sleep } from "node:timers/promises";
import { app } from "./app.ts";

/** Adds two numbers, and takes two seconds over it so that you can watch. */
export const add = app.task("tasks.add", async (x: number, y: number) => {
  await sleep(2000);
  return x + y;
});
