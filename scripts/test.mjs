// `npm test`: a fresh clone becomes ready, then everything runs.
import { prepare } from "./prepare.mjs";

prepare();
await import("./check.mjs");
