// Loaded into a worker with --import and --expose-gc: tells on SIGUSR2 how much of its heap is left after a collection.
import { writeSync } from "node:fs";

process.on("SIGUSR2", () => {
  globalThis.gc();
  globalThis.gc();
  writeSync(2, `${JSON.stringify({ heapMb: process.memoryUsage().heapUsed / 1e6 })}\n`);
});
