import type { ChildConfig } from "./child-config.ts";
import { runChild } from "./child-loop.ts";

await runChild(JSON.parse(process.argv[2] as string) as ChildConfig, process);
