import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "./redis-server.ts";

/** The emulator that the playground falls back to, in a process of its own. */
export async function startEmulatedRedis(): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const main = fileURLToPath(new URL("./emulated-redis-main.mjs", import.meta.url));
  const child = spawn(process.execPath, [main, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await Promise.race([
    once(child.stdout, "data"),
    exited.then(([code]) => {
      throw new Error(`the emulated Redis exited with ${code}`);
    }),
  ]);
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
