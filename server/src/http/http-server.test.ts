import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CourseView, LessonView } from "../protocol/index.ts";
import { makeApp } from "./app.ts";
import { type HttpServer, openHttpServer } from "./http-server.ts";
import { openStaticFiles } from "./static-files.ts";

const token = "token-of-this-test";
const cookieValue = "cookie-of-this-test";
const upgraded: string[] = [];
const script = "export const answer = 42;\n".repeat(200);

let directory = "";
let server: HttpServer;
const app = makeApp({
  version: "1.2.3",
  files: { find: (path) => openStaticFiles(directory).find(path) },
  log: pino({ level: "silent" }),
  course: () => ({ title: "Course", parts: [] }) satisfies CourseView,
  lesson: (slug) => {
    if (slug === "broken") throw new Error(`secret path ${directory}`);
    return slug === "first" ? ({ slug } as LessonView) : undefined;
  },
  paneText: async (id) => (id === "worker" ? "celery@host ready." : undefined),
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "http-"));
  await mkdir(join(directory, "assets"));
  await writeFile(join(directory, "index.html"), "<!doctype html><title>The page</title>");
  await writeFile(join(directory, "assets/index-abc.js"), script);
  server = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    secrets: { token, cookieValue },
    onRequest: app,
    onUpgrade: (request, socket) => {
      upgraded.push(request.url ?? "");
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n");
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function get(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<IncomingMessage> {
  const request = httpRequest({ host: "127.0.0.1", port: server.port, path, headers, method, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** As the page asks. */
const asPage = (
  path: string,
  headers: Record<string, string> = {},
  method?: string,
): Promise<IncomingMessage> =>
  get(path, { cookie: `playground_${server.port}=${cookieValue}`, ...headers }, method);

/** Sends bytes as they are, and gives back everything that was answered. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(bytes);
  return text(socket);
}

function upgradeRequest(path: string, headers: readonly string[]): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
  ];
  return `${[...lines, ...headers].join("\r\n")}\r\n\r\n`;
}

/** Every path that the app answers, read from the app itself, so that a new route is in the test by being there. */
function routePaths(): readonly string[] {
  const layers = (app.router as unknown as { stack: { route?: { path: string } }[] }).stack;
  const paths = layers.flatMap(({ route }) =>
    route === undefined ? [] : [route.path.replace(/:\w+/g, "first")],
  );
  return [...paths, "/", "/assets/index-abc.js", "/api", "/api/nothing", "/nothing"];
}

test("given every route of the app, when it is asked for without a token, then nothing but words comes back", async () => {
  expect(routePaths().length).toBeGreaterThanOrEqual(9);
  for (const path of routePaths()) {
    const response = await get(path);
    expect([path, response.statusCode]).toEqual([path, 401]);
    expect(await text(response)).toMatch(/whole address that it printed/);
  }
});

test("given any upgrade path, when it lacks token or origin, then it is refused before it is upgraded", async () => {
  const cookie = `Cookie: playground_${server.port}=${cookieValue}`;
  for (const path of ["/ws", "/", "/terminal/ws", "/api/course", "/anything?x=1"]) {
    expect(await raw(upgradeRequest(path, [`Origin: ${server.origin}`]))).toMatch(/^HTTP\/1\.1 401 /);
    expect(await raw(upgradeRequest(path, [cookie, "Origin: http://evil.com"]))).toMatch(/^HTTP\/1\.1 403 /);
    expect(await raw(upgradeRequest(path, [cookie]))).toMatch(/^HTTP\/1\.1 403 /);
  }
  expect(upgraded).toEqual([]);

  expect(await raw(upgradeRequest("/ws", [cookie, `Origin: ${server.origin}`]))).toMatch(/^HTTP\/1\.1 101 /);
  expect(upgraded).toEqual(["/ws"]);
});

test("given the start address, when it is opened, then a strict cookie opens the page without the token", async () => {
  const first = await get(`/?token=${token}`);

  expect(first.statusCode).toBe(303);
  expect(first.headers.location).toBe("/");
  const cookie = first.headers["set-cookie"]?.[0] ?? "";
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  expect(cookie).not.toContain(token);
  expect(await text(await get("/", { cookie: cookie.split(";")[0] ?? "" }))).toContain("The page");
});

test("given the start address as a link on another site, when it is followed, then a page of ours leads on", async () => {
  const headers = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const first = await get(`/?token=${token}&lesson=x"><script>`, headers);

  expect(first.statusCode).toBe(200);
  expect(first.headers["set-cookie"]).toHaveLength(1);
  const page = await text(first);
  expect(page).toContain('content="0; url=/?lesson=');
  expect(page).not.toContain("<script>");
});

test("given a link to a lesson, when it is opened, then it is the page", async () => {
  expect(await text(await asPage("/l/01-first"))).toContain("The page");
  expect((await asPage("/l/01/files")).statusCode).toBe(404);
});

test("given any answer, when its headers are read, then they keep other pages out and allow no CORS", async () => {
  for (const response of [
    await asPage("/"),
    await asPage("/api/course"),
    await get("/"),
    await asPage("/no"),
  ]) {
    const { headers } = response;
    expect(headers["content-security-policy"]).toMatch(/default-src 'self'; script-src 'self'; style-src/);
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(headers).not.toHaveProperty("x-powered-by");
    response.resume();
  }
});

test("given a script of the page, when a browser takes gzip, then it is sent small, once, and kept", async () => {
  const path = "/assets/index-abc.js";
  const response = await asPage(path, { "accept-encoding": "gzip, br" });

  const bytes = await buffer(response);
  expect(response.headers).toMatchObject({
    "content-encoding": "gzip",
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "private, max-age=31536000, immutable",
    "content-length": String(bytes.length),
  });
  expect(gunzipSync(bytes).toString()).toBe(script);
  expect(bytes.length).toBeLessThan(script.length / 10);

  const plain = await asPage(path);
  expect(plain.headers).not.toHaveProperty("content-encoding");
  expect(await text(plain)).toBe(script);
  expect((await asPage(path, { "if-none-match": response.headers.etag ?? "" })).statusCode).toBe(304);
  expect((await asPage(path, {}, "HEAD")).headers["content-length"]).toBe(String(script.length));
});

test.each([
  ["/api/course", 200, { title: "Course", parts: [] }],
  ["/api/lessons/first", 200, { slug: "first" }],
  ["/api/lessons/second", 404, { error: expect.stringContaining("no lesson of this name") }],
  ["/api/lessons/constructor", 404, { error: expect.any(String) }],
  ["/api/panes/other/text", 404, { error: expect.stringContaining("broker, worker and producer") }],
  ["/api/nothing", 404, { error: expect.any(String) }],
  ["/api/lessons/%zz", 400, { error: expect.any(String) }],
  ["/api/lessons/broken", 500, { error: expect.not.stringContaining("secret path") }],
  ["/health", 200, { status: "ok", version: "1.2.3" }],
])("given %s, when the page asks, then the answer is %i in JSON", async (path, code, body) => {
  const response = await asPage(path);
  expect(response.statusCode).toBe(code);
  expect(JSON.parse(await text(response))).toEqual(body);
});

test.each([
  "/../index.html",
  "/..%2findex.html",
  "/assets/../../../../etc/passwd",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/assets/..%5c..%5cetc%5cpasswd",
  "/index.html%00.js",
  "/etc/passwd",
  "/.git/config",
  "/assets/",
  "/proxy/169.254.169.254",
])("given the path %s, when the page asks, then no file comes back", async (path) => {
  const response = await asPage(path);
  expect([400, 404]).toContain(response.statusCode);
  expect(await text(response)).not.toMatch(/The page|root:/);
});

test("given bytes that are no HTTP, when they arrive, then they are answered or dropped and the server lives", async () => {
  const big = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX: ${"x".repeat(70_000)}\r\n\r\n`;
  const hostile = [
    "\r\n\r\n",
    "GET\r\n\r\n",
    "\x16\x03\x01\x02",
    "CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com\r\n\r\n",
    `GET http://evil.com/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a b\r\n\r\n`,
    `GET / HTTP/1.1\nHost: evil.com\n\n`,
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nHost: evil.com\r\n\r\n`,
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    big,
    upgradeRequest("/%zz", ["Origin: http://[", "Cookie: ;;;="]),
  ];
  for (const bytes of hostile) {
    const answered = await Promise.race([raw(bytes), once(AbortSignal.timeout(300), "abort").then(() => "")]);
    expect(answered).not.toContain("The page");
    expect(answered).not.toMatch(/^HTTP\/1\.1 [123]/);
  }
  expect((await asPage("/")).statusCode).toBe(200);
});

test("given an endless POST, when it is sent, then it is refused and nobody reads it", async () => {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  const cookie = `Cookie: playground_${server.port}=${cookieValue}`;
  const head = `POST /api/course HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${cookie}\r\n`;
  socket.write(`${head}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 405 /);
  socket.write(`10000\r\n${"x".repeat(0x10000)}\r\n`);

  await once(socket, "close");
});
