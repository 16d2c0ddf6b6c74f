import express from "express";
import { serve } from "./serve.ts";
import { scoreSlowly } from "./slow.ts";

const api = express();
api.use(express.urlencoded());

api.post("/score", async (request, response) => {
  const answer = scoreSlowly(request.body.text);
  response.json(answer);
});

serve(api);
