import { writeSync } from "node:fs";
import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { loadApp } from "../app/load-app.ts";
import type { CeleryApp } from "../app/types.ts";
import { systemClock } from "../runtime/clock.ts";
import type { ChildConfig } from "./child-config.ts";
import { ChildTasks } from "./child-tasks.ts";
import { type FromChild, READ_FD, readToChild, type ToChild, WRITE_FD, writeFromChild } from "./ipc.ts";
import { MessageLines } from "./message-lines.ts";
import { dieWithParent } from "./parent-watch.ts";
import { describeStray } from "./stray.ts";
import { countWrites, type WriteCounter } from "./write-counter.ts";

const PARENT_CHECK_MS = 500;
const READ_BYTES = 64 * 1024;

/**
 * The life of one pool child: load the app, say so, run one task after the other. It never speaks to the
 * broker: what is to be stored or sent goes to the parent as data.
 */
export async function runChild(config: ChildConfig, self: NodeJS.Process): Promise<void> {
  standAlone(self, config);
  // Before the app is loaded: that may never end.
  dieWithParent(config.parentPid, PARENT_CHECK_MS);
  const written = countWrites(self);
  let app: CeleryApp;
  try {
    app = await loadApp(config.appSpec, self.cwd(), config.include);
    await app.signals.workerProcessInit.send({ pid: self.pid, processName: config.processName });
  } catch (error) {
    tell([{ type: "failed", reason: error instanceof Error ? error.message : String(error) }]);
    return self.exit(1);
  }
  const tasks = makeTasks(app, self, written);
  listen(self, new MessageLines((line) => obey(readToChild(line), tasks, app, self)));
  tell([{ type: "ready" }]);
}

function makeTasks(app: CeleryApp, self: NodeJS.Process, written: WriteCounter): ChildTasks {
  const report = (text: string): void => void self.stderr.write(`${text}\n`);
  return new ChildTasks({
    execute: { app, clock: systemClock, random: Math.random, report },
    tell,
    written: () => written.now(),
    residentKib: () => self.memoryUsage.rss() / 1024,
  });
}

function obey(message: ToChild, tasks: ChildTasks, app: CeleryApp, self: NodeJS.Process): void {
  switch (message.type) {
    case "run":
      return tasks.take(message.job, message.by, message.request);
    case "giveBack":
      return tasks.giveBack();
    case "memory":
      return tasks.limitMemory(message.maxResidentKib);
    case "stored":
      return tasks.onStored(message.seq, message.error);
    case "softLimit":
      return tasks.expire();
    case "end":
      return endBy(self, message.signal);
    case "exit":
      return tasks.whenIdle(() => void leave(app, self));
  }
}

async function leave(app: CeleryApp, self: NodeJS.Process): Promise<void> {
  await app.signals.workerProcessShutdown.send({ pid: self.pid, exitcode: 0 });
  self.exit(0);
}

function standAlone(self: NodeJS.Process, config: ChildConfig): void {
  self.title = `[celeryd: ${config.hostname}:${config.processName}]`;
  // A terminal's Ctrl-C, or a signal to the whole group, reaches the children too, but only the worker decides
  // what it means: it lets running tasks end, or kills the children.
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) self.on(signal, ignore);
  if (self.ppid !== config.parentPid) self.kill(self.pid, "SIGKILL");
  self.on("unhandledRejection", (reason) => void self.stderr.write(`${describeStray(reason)}\n`));
}

/** The signals that are ignored mean something once the worker says so; a module that handles one itself is heard. */
function endBy(self: NodeJS.Process, signal: NodeJS.Signals): void {
  self.removeListener(signal, ignore);
  self.kill(self.pid, signal);
}

function ignore(): void {
  // Meant for the worker.
}

function listen(self: NodeJS.Process, lines: MessageLines): void {
  /** A character of several bytes may come in two pieces. */
  const decoder = new StringDecoder("utf8");
  const callback = (size: number, buffer: Uint8Array): boolean => {
    lines.push(decoder.write(Buffer.from(buffer.buffer, buffer.byteOffset, size)));
    return true;
  };
  // One buffer for all that comes: a new one for each piece was a tenth of what a short task cost.
  const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback };
  const options: SocketConstructorOpts & ConnectOpts = {
    fd: READ_FD,
    readable: true,
    writable: false,
    onread,
  };
  const pipe = new Socket(options);
  // The worker is gone, and with it whoever could store what comes of the task.
  pipe.on("close", () => self.kill(self.pid, "SIGKILL"));
}

/** Returns when the pipe has it all: a function that blocks the loop may come next. The pipe blocks, so that nothing is left over. */
function tell(messages: readonly FromChild[]): void {
  let text = "";
  for (const message of messages) text += `${writeFromChild(message)}\n`;
  const written = writeSync(WRITE_FD, text);
  if (written >= text.length && written === Buffer.byteLength(text)) return;
  const bytes = Buffer.from(text);
  for (let from = written; from < bytes.length; ) from += writeSync(WRITE_FD, bytes, from);
}
