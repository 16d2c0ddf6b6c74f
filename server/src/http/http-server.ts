import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answerPage, hopPage } from "./answer-page.ts";
import {
  decide,
  type GateRequest,
  type GateRules,
  type GateSecrets,
  makeRules,
  type Verdict,
} from "./gate.ts";
import { setSecurityHeaders } from "./headers.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly secrets: GateSecrets;
  /** Answers what passed the gate. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes over a socket that passed the gate. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /** Where the learner's browser finds it: `http://127.0.0.1:<port>`, or the one other address that was bound. */
  readonly origin: string;
}

/**
 * Listens, with the gate in front of everything: requests and upgrades are seen by nobody before it decided.
 *
 * @throws the listener's error, with `code` "EADDRINUSE" when the port is taken.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer();
  const listening = once(server, "listening");
  server.listen(options.port, options.host);
  await listening;
  const { port } = server.address() as AddressInfo;
  attach(server, makeRules(options.host, port, options.secrets), options);
  return { port, origin: originOf(options.host, port), [Symbol.asyncDispose]: () => close(server) };
}

function originOf(host: string, port: number): string {
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function attach(server: Server, rules: GateRules, options: HttpServerOptions): void {
  server.on("request", (request, response) => {
    setSecurityHeaders(response, rules);
    const verdict = decide(gateRequest(request, false), rules);
    if (verdict.answer === "pass") options.onRequest(request, response);
    else answer(request, response, verdict, rules);
  });
  server.on("upgrade", (request, socket, head) => {
    // The peer may be gone before it is told.
    socket.on("error", () => socket.destroy());
    const verdict = decide(gateRequest(request, true), rules);
    if (verdict.answer === "pass") options.onUpgrade(request, socket, head);
    else if (verdict.answer === "refuse") refuseUpgrade(socket, verdict.status, verdict.message);
    else refuseUpgrade(socket, 400, "The start address is a page.");
  });
  server.on("clientError", (_, socket) => refuseUpgrade(socket, 400, "This is no HTTP request."));
}

function gateRequest(request: IncomingMessage, upgrade: boolean): GateRequest {
  const { method = "", url = "", headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders, upgrade };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  verdict: Exclude<Verdict, { answer: "pass" }>,
  rules: GateRules,
): void {
  if (verdict.answer === "exchange") {
    const cookie = `${rules.cookieName}=${rules.cookieValue}; HttpOnly; SameSite=Strict; Path=/`;
    response.setHeader("Set-Cookie", cookie);
    if (isFromElsewhere(request)) sendPage(response, 200, hopPage(verdict.location));
    else response.writeHead(303, { Location: verdict.location }).end();
    return;
  }
  // Nobody reads a body that nobody asked for.
  response.setHeader("Connection", "close");
  if (request.url?.startsWith("/api/")) {
    response.writeHead(verdict.status, { "Content-Type": "application/json; charset=utf-8" });
    response.end(JSON.stringify({ error: verdict.message }));
  } else sendPage(response, verdict.status, answerPage(titleOf(verdict.status), verdict.message));
}

function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return site === "cross-site" || site === "same-site";
}

function titleOf(status: number): string {
  return status === 401 ? "One more step" : "Not here";
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" });
  response.end(html);
}

/** No response object exists for an upgrade; the answer is written by hand. */
function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  if (!socket.writable) return void socket.destroy();
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => (socket as Socket).destroySoon(),
  );
}

/** Stops listening at once. Upgraded sockets belong to whoever took them over, and end with that. */
async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
}
