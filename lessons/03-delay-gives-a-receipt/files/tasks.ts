import { setTimeout } from "node:timers/promises";
import { app } from "./app.ts";

const sleep = (seconds: number): Promise<void> => setTimeout(seconds * 1000);

/** A simple task that adds two numbers. */
export const add = app.task("tasks.add", async (x: number, y: number) => {
  console.log(`Adding ${x} + ${y}...`);
  await sleep(5); // stands for something that takes long
  const result = x + y;
  console.log(`Result: ${result}`);
  return result;
});

/** A simple task that multiplies two numbers. */
export const multiply = app.task("tasks.multiply", async (x: number, y: number) => {
  console.log(`Multiplying ${x} * ${y}...`);
  await sleep(3);
  const result = x * y;
  console.log(`Result: ${result}`);
  return result;
});
