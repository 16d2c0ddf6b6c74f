import { readFileSync } from "node:fs";
import { add } from "./tasks.ts";

const ticket = readFileSync("ticket.txt", "utf8");
const result = add.AsyncResult(ticket);
console.log(`The answer to ${ticket}: ${await result.get({ timeout: 10 })}`);
