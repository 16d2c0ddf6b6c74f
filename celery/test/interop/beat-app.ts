import { crontab } from "celery";
import { app } from "./interop-app.ts";

export { app } from "./interop-app.ts";

/** The schedule of python/beat_app.py, and one entry that is due in a year at the earliest. */
app.conf.beat_schedule = {
  often: {
    task: "interop.describe",
    schedule: 0.5,
    args: [1, "two"],
    kwargs: { deep: [true] },
    options: { queue: "for-python", priority: 6, expires: 60 },
  },
  "far away": {
    task: "interop.fail",
    schedule: crontab({ monthOfYear: new Date().getMonth() || 12, minute: 0 }),
  },
};
app.addPeriodicTask(0.5, "interop.add", { args: [2, 3], name: "sums", queue: "for-python" });
