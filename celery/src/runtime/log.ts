/**
 * What the library needs of a logger; a pino logger fits. Fields first, then a constant message.
 * Passed in by whoever composes the process, never global.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing: for clients, whose output belongs to the caller. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
