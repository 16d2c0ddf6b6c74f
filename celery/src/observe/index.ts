export type { CeleryEvent } from "../protocol/event.ts";
export type { ResultMeta } from "../protocol/result-meta.ts";
export {
  Observer,
  type ObserverEvents,
  type ObserverOptions,
  openObserver,
  type Snapshot,
} from "./observer.ts";
