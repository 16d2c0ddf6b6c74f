import * as nodeModule from "node:module";
import type { ChildConfig } from "./child-config.ts";

// Node 22.8 and later keep compiled code between starts, of what is loaded from here on.
(nodeModule as { enableCompileCache?: () => unknown }).enableCompileCache?.();
const { runChild } = await import("./child-loop.ts");
await runChild(JSON.parse(process.argv[2] as string) as ChildConfig, process);
