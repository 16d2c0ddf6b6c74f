import type { ServerResponse } from "node:http";
import type { GateRules } from "./gate.ts";

/**
 * What every answer carries, refusals too.
 *
 * `style-src 'unsafe-inline'`: xterm.js and CodeMirror write their own `<style>` elements. Scripts come from our
 * files only, so text that slips into a page as markup cannot run. The socket's addresses are written out because older
 * Safari does not count `ws:` as 'self'.
 */
export function setSecurityHeaders(response: ServerResponse, rules: GateRules): void {
  const sockets = [...rules.hosts].map((host) => `ws://${host}`).join(" ");
  const policy = [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self' ${sockets}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  response.setHeader("Content-Security-Policy", policy);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Cache-Control", "no-store");
}
