import type { CeleryApp } from "../app/types.ts";
import type { CommandContext } from "./command.ts";

/** Loads the app, works with it and closes its connections, whatever happened. */
export async function withApp<T>(context: CommandContext, work: (app: CeleryApp) => Promise<T>): Promise<T> {
  const app = await context.loadApp();
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
