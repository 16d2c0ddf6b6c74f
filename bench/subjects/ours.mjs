// Ours, as a program uses it.
import { app, task } from "./tasks.mjs";

export function openClient() {
  return {
    send: () => task.delay(1, 2),
    finish: (receipt) => receipt.get(),
    sendMany: (count) => Promise.all(Array.from({ length: count }, () => task.delay(1, 2))),
    close: () => app.close(),
  };
}
