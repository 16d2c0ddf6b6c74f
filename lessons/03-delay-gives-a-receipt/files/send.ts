import { writeFileSync } from "node:fs";
import { add } from "./tasks.ts";

const resultAdd = await add.delay(4, 4);
console.log(`Task add sent. Task ID: ${resultAdd.id}`);
console.log(`Its state: ${await resultAdd.state()}`);
writeFileSync("ticket.txt", resultAdd.id);
