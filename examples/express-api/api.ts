import { OperationalError } from "celery";
import express, { type ErrorRequestHandler, type Express } from "express";
import { batchScore } from "./tasks.ts";

/** Takes work in, hands out a ticket, and says later what became of it. Never waits for the work. */
export function makeApi(): Express {
  const api = express();
  api.use(express.json({ limit: "1mb" }));

  api.post("/score-batch", async (request, response) => {
    const texts: unknown = request.body;
    if (!isTexts(texts)) {
      response.status(400).json({ error: 'Send a JSON array of texts: ["great product"].' });
      return;
    }
    const task = await batchScore.delay(texts);
    response.status(202).location(`/result/${task.id}`).json({ task_id: task.id });
  });

  api.get("/result/:id", async (request, response) => {
    const result = batchScore.AsyncResult(request.params.id);
    const state = await result.state();
    if (state === "SUCCESS") response.json({ ready: true, state, result: await result.result() });
    else if (state === "FAILURE" || state === "REVOKED")
      response.json({ ready: true, state, error: String(await result.result()) });
    // PENDING is also what an id has that nobody gave out, or whose result has expired: Celery cannot tell them apart.
    else response.json({ ready: false, state });
  });

  api.use(onError);
  return api;
}

function isTexts(body: unknown): body is string[] {
  return Array.isArray(body) && body.every((text) => typeof text === "string");
}

/** Express knows an error handler by its four parameters. */
const onError: ErrorRequestHandler = (error, _request, response, next) => {
  if (!(error instanceof OperationalError)) next(error);
  else
    response.status(503).set("Retry-After", "5").json({ error: "The queue cannot be reached. Try again." });
};
