/**
 * The library's one runtime door. Loaded on demand, and a module of its own: what a bundle makes of an `import()` of a CommonJS
 * package has no named exports (ADR 35).
 */
export { Redis } from "ioredis";
