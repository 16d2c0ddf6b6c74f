import express from "express";
import { serve } from "./serve.ts";
import { batchScore } from "./tasks.ts";
import { remember } from "./tickets.ts";

const api = express();
api.use(express.json({ type: () => true })); // whatever the caller calls it, it is JSON

api.post("/score-batch", async (request, response) => {
  const task = await batchScore.delay(request.body); // put in the queue, do not wait
  await remember(task.id);
  response.status(202).json({ task_id: task.id }); // answered in milliseconds
});

api.get("/result/:id", async (request, response) => {
  const result = batchScore.AsyncResult(request.params.id);
  const ready = await result.ready();
  response.json({ ready, result: ready ? await result.result() : null });
});

serve(api);
