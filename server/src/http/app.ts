import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import type { Logger } from "pino";
import type { CourseView, LessonView } from "../protocol/index.ts";
import { answerPage } from "./answer-page.ts";
import type { StaticFile, StaticFiles } from "./static-files.ts";

/** What the routes read. Nothing here changes anything: all of that goes through the socket. */
export interface AppDeps {
  readonly version: string;
  readonly files: StaticFiles;
  readonly log: Logger;
  course(): CourseView;
  lesson(slug: string): LessonView | undefined;
  /** Screen and scrollback of a pane as plain text; `undefined` for no such pane. */
  paneText(id: string): Promise<string | undefined>;
}

/** A link to a lesson; the page itself reads which. */
const LESSON_PATH = /^\/l\/[^/]+\/?$/;

/** The routes behind the gate. */
export function makeApp(deps: AppDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.get("/health", (_, response) => void response.json({ status: "ok", version: deps.version }));
  app.get("/api/course", (_, response) => void response.json(deps.course()));
  app.get("/api/lessons/:slug", (request, response) => sendLesson(deps, request, response));
  app.get("/api/panes/:id/text", (request, response) => sendPaneText(deps, request, response));
  app.use("/api", (_, response) => sendNotFound(response, "There is nothing at this address of the API."));
  app.use((request, response) => sendFile(deps, request, response));
  app.use(errorHandler(deps.log));
  return app;
}

function sendLesson(deps: AppDeps, request: Request<{ slug: string }>, response: Response): void {
  const lesson = deps.lesson(request.params.slug);
  if (lesson === undefined)
    sendNotFound(response, "There is no lesson of this name. /api/course lists them.");
  else response.json(lesson);
}

async function sendPaneText(
  deps: AppDeps,
  request: Request<{ id: string }>,
  response: Response,
): Promise<void> {
  const text = await deps.paneText(request.params.id);
  if (text === undefined)
    sendNotFound(response, "There is no such pane. They are broker, worker and producer.");
  else response.type("text/plain").send(text);
}

function sendNotFound(response: Response, error: string): void {
  response.status(404).json({ error });
}

async function sendFile(deps: AppDeps, request: Request, response: Response): Promise<void> {
  const file = await deps.files.find(LESSON_PATH.test(request.path) ? "/" : request.path);
  if (file !== undefined) return send(file, request, response);
  const isBuilt = (await deps.files.find("/")) !== undefined;
  const [title, message] = isBuilt
    ? ["Nothing here", "The playground is one page, at the address without a path."]
    : ["The page is not built", "Stop the server, type npm run build, and start it again."];
  response
    .status(isBuilt ? 404 : 503)
    .type("html")
    .send(answerPage(title, message));
}

async function send(file: StaticFile, request: Request, response: Response): Promise<void> {
  response.setHeader("Cache-Control", file.immutable ? "private, max-age=31536000, immutable" : "no-cache");
  response.setHeader("ETag", file.etag);
  response.setHeader("Vary", "Accept-Encoding");
  response.setHeader("Content-Type", file.type);
  if (request.headers["if-none-match"] === file.etag) return void response.status(304).end();
  const gzipped = request.acceptsEncodings("gzip") === "gzip" ? await file.gzipped() : undefined;
  if (gzipped !== undefined) response.setHeader("Content-Encoding", "gzip");
  response.setHeader("Content-Length", (gzipped ?? file.bytes).length);
  response.end(request.method === "HEAD" ? undefined : (gzipped ?? file.bytes));
}

/** Paths and stacks stay in the log. Express hands over what it could not read of a request with a status of 4xx. */
function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: Error & { status?: number }, _request, response, next) => {
    if (response.headersSent) return next(error);
    const status = error.status !== undefined && error.status < 500 ? error.status : 500;
    if (status === 500) log.error({ err: error }, "a request failed");
    const message =
      status === 500
        ? "The server failed. Its log, in the terminal, says how."
        : "This request cannot be read.";
    response.status(status).json({ error: message });
  };
}
