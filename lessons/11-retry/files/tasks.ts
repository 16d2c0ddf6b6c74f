import { app } from "./app.ts";
import { askPrice } from "./upstream.ts";

/** Asks for a price. `refusals` is how often the other side will be down before it answers. */
export const flaky = app.task(
  "tasks.flaky",
  {
    bind: true,
  },
  (self, refusals: number) => {
    const attempt = self.request.retries + 1;
    console.log(`Attempt ${attempt}`);
    return askPrice(attempt, refusals);
  },
);
