/** What a pool child is started with; its one command line argument, as JSON. */
export interface ChildConfig {
  /** `-A`, as given to the worker. */
  readonly appSpec: string;
  /** `-I`: modules to load besides it. */
  readonly include?: readonly string[];
  /** Node name of the worker, e.g. `celery@host`. */
  readonly hostname: string;
  /** `ForkPoolWorker-3`. */
  readonly processName: string;
  readonly parentPid: number;
}
