import { add } from "./tasks.ts";

console.log(await add(4, 4));
