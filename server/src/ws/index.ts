export { type Hub, type HubDeps, openHub } from "./hub.ts";
