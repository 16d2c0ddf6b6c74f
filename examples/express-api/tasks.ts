import { app } from "./celery-app.ts";
import { load, type Score, save, scoreText, train } from "./model.ts";

export { app } from "./celery-app.ts";

/** How happy each text sounds. */
export const batchScore = app.task("sentiment.batch_score", async (texts: string[]): Promise<Score[]> => {
  const model = await load();
  return texts.map((text) => scoreText(model, text));
});

/** Trains from scratch and saves the model; Beat sends it every night. */
export const retrain = app.task("sentiment.retrain", async () => {
  const model = await train();
  await save(model);
  return { status: "retrained", vocab_size: new Set(Object.values(model).flatMap(Object.keys)).size };
});
