import { describePool } from "../../test/conformance/pool.ts";
import { app } from "../../test/support/apps/pool-app.ts";
import { openInProcessPool } from "./in-process.ts";

describePool({
  kind: "async",
  slots: 2,
  open: (size) => openInProcessPool({ kind: "async", size, app, redirect: process }),
});

describePool({
  kind: "solo",
  slots: 1,
  open: (size) => openInProcessPool({ kind: "solo", size, app, redirect: process }),
});
