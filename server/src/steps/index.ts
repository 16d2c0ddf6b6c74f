export { StepRefused } from "./errors.ts";
export { openStepRunner, type StepRunnerDeps } from "./open-step-runner.ts";
export type { RunnableStep, StepEvents, StepRunner } from "./step-runner.ts";
