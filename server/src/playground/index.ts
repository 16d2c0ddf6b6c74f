export { openPlayground, type PlaygroundOptions } from "./open-playground.ts";
export {
  type Playground,
  type PlaygroundEvents,
  PlaygroundRefusal,
  type PlaygroundRequest,
} from "./playground.ts";
