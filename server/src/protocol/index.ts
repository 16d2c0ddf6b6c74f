/**
 * What crosses the wire between server and browser. The browser imports only *types* from here, so nothing of
 * zod or Node reaches the page.
 */
export * from "./frames.ts";
export * from "./lesson.ts";
export * from "./messages.ts";
export * from "./state.ts";
