export { type AppDeps, makeApp } from "./app.ts";
export type { GateSecrets } from "./gate.ts";
export { type HttpServer, type HttpServerOptions, openHttpServer } from "./http-server.ts";
export { openStaticFiles, type StaticFiles } from "./static-files.ts";
