export { freePort } from "./free-port.ts";
export { launcherGone } from "./launcher.ts";
export { type Holder, type Lock, type LockResult, takeLock } from "./lock.ts";
export { ownProgram } from "./own-program.ts";
export { openReaper, type Reaper } from "./reaper.ts";
export { SESSION_VARIABLE, type Session, sweepSession } from "./sweep.ts";
