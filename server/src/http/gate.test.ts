import { expect, test } from "vitest";
import { decide, type GateRequest, makeRules } from "./gate.ts";

const PORT = 7480;
const TOKEN = "t".repeat(43);
const COOKIE = "c".repeat(43);
const rules = makeRules("127.0.0.1", PORT, { token: TOKEN, cookieValue: COOKIE });
const ourCookie = `playground_${PORT}=${COOKIE}`;

interface Sketch {
  readonly method?: string;
  readonly url?: string;
  readonly upgrade?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rawHeaders?: readonly string[];
}

/** The page's own request, unless the sketch says otherwise. */
function aRequest({
  method = "GET",
  url = "/",
  upgrade = false,
  headers = {},
  rawHeaders,
}: Sketch = {}): GateRequest {
  const all = { host: `127.0.0.1:${PORT}`, cookie: ourCookie, ...(upgrade ? ownOrigin : {}), ...headers };
  return { method, url, upgrade, headers: all, rawHeaders: rawHeaders ?? Object.entries(all).flat() };
}

const ownOrigin = { origin: `http://127.0.0.1:${PORT}` };

/** A request without one of the headers that the page sends. */
function without(name: string, sketch: Sketch = {}): GateRequest {
  const request = aRequest(sketch);
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([key]) => key !== name));
  return { ...request, headers, rawHeaders: Object.entries(headers).flat().map(String) };
}

const status = (request: GateRequest): number | string => {
  const verdict = decide(request, rules);
  return verdict.answer === "refuse" ? verdict.status : verdict.answer;
};

test.each([
  [aRequest()],
  [aRequest({ headers: { host: `localhost:${PORT}` } })],
  [aRequest({ upgrade: true, url: "/ws" })],
  [aRequest({ upgrade: true, url: "/ws", headers: { "sec-fetch-site": "same-origin" } })],
  [aRequest({ method: "HEAD" })],
  [
    aRequest({
      headers: { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    }),
  ],
  [without("cookie", { headers: { authorization: `Bearer ${TOKEN}` } })],
  [without("origin", { upgrade: true, headers: { authorization: `Bearer ${TOKEN}` } })],
  [aRequest({ headers: { cookie: `playground_${PORT}=old; other=1; ${ourCookie}` } })],
])("given the learner's own page or tool, when it asks, then it passes (%#)", (request) => {
  expect(status(request)).toBe("pass");
});

const HOSTILE_HOSTS = [
  "evil.com",
  `evil.com:${PORT}`,
  "127.0.0.1",
  "127.0.0.1:80",
  `127.0.0.1:${PORT + 1}`,
  `127.0.0.1.nip.io:${PORT}`,
  `127.0.0.1.evil.com:${PORT}`,
  `localhost.:${PORT}`,
  `localhost.evil.com:${PORT}`,
  `LOCALHOST:${PORT}`,
  `localhost:${PORT}@evil.com`,
  `evil.com@localhost:${PORT}`,
  `0.0.0.0:${PORT}`,
  `[::]:${PORT}`,
  `[::1]:${PORT}`,
  `2130706433:${PORT}`,
  `0x7f.1:${PORT}`,
  ` 127.0.0.1:${PORT}`,
  `127.0.0.1:0${PORT}`,
  "",
  "a b",
  "%",
  "[",
];

test.each(HOSTILE_HOSTS)(
  "given the Host %j, when it asks with the right cookie, then it is refused",
  (host) => {
    expect(status(aRequest({ headers: { host } }))).toBe(403);
    expect(status(aRequest({ headers: { host, "x-forwarded-host": `localhost:${PORT}` } }))).toBe(403);
    expect(status(aRequest({ upgrade: true, url: "/ws", headers: { host } }))).toBe(403);
  },
);

test("given no Host or two of them, when it asks, then it is refused", () => {
  const host = `127.0.0.1:${PORT}`;
  expect(status(without("host"))).toBe(403);
  expect(status(aRequest({ rawHeaders: ["Host", host, "HOST", "evil.com"] }))).toBe(403);
});

const HOSTILE_ORIGINS = [
  "http://evil.com",
  "null",
  "",
  "file://",
  `https://127.0.0.1:${PORT}`,
  "http://127.0.0.1",
  `http://127.0.0.1:${PORT + 1}`,
  `http://localhost:${PORT - 1}`,
  `http://127.0.0.1.evil.com:${PORT}`,
  `http://localhost:${PORT}.evil.com`,
  `http://localhost.:${PORT}`,
  `http://LOCALHOST:${PORT}`,
  `HTTP://localhost:${PORT}`,
  `http://localhost:${PORT}/`,
  `http://evil.com#http://localhost:${PORT}`,
  `http://localhost:${PORT}, http://evil.com`,
  "chrome-extension://abcdefgh",
  "http://a b",
];

test.each(HOSTILE_ORIGINS)(
  "given the Origin %j, when it asks with the right cookie, then it is refused",
  (origin) => {
    expect(status(aRequest({ headers: { origin } }))).toBe(403);
    expect(status(aRequest({ upgrade: true, url: "/ws", headers: { origin } }))).toBe(403);
  },
);

test("given an upgrade without Origin, when only the cookie speaks for it, then it is refused", () => {
  expect(status(without("origin", { upgrade: true, url: "/ws" }))).toBe(403);
});

test.each([
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" }],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }],
  [{ "sec-fetch-site": "cross-site" }],
])(
  "given another page's request for a part (%j), when it asks with the right cookie, then it is refused",
  (headers) => {
    expect(status(aRequest({ headers }))).toBe(403);
  },
);

test("given another page that opens the socket, when it looks like a visit, then it is refused all the same", () => {
  const headers = {
    "sec-fetch-site": "same-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  expect(status(aRequest({ headers }))).toBe("pass");
  expect(status(aRequest({ upgrade: true, url: "/ws", headers }))).toBe(403);
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"])(
  "given the method %s, when it asks with the right cookie, then it is refused",
  (method) => {
    expect(status(aRequest({ method }))).toBe(405);
  },
);

test.each([
  `http://127.0.0.1:${PORT}/`,
  "http://169.254.169.254/latest",
  "//evil.com/?token=x",
  "*",
  "",
  "\\evil",
])("given the target %j, when it asks with the right cookie, then it is refused", (url) => {
  expect(status(aRequest({ url }))).toBe(400);
});

test.each([
  [without("cookie")],
  [aRequest({ headers: { cookie: `playground_${PORT}=${"x".repeat(43)}` } })],
  [aRequest({ headers: { cookie: `playground_${PORT + 1}=${COOKIE}` } })],
  [aRequest({ headers: { cookie: `playground_${PORT}=${TOKEN}` } })],
  [aRequest({ headers: { cookie: `playground_${PORT}=` } })],
  [without("cookie", { headers: { authorization: `Bearer ${COOKIE}` } })],
  [without("cookie", { headers: { authorization: "Bearer " } })],
  [without("cookie", { headers: { authorization: `Basic ${TOKEN}` } })],
  [without("cookie", { url: "/?token=wrong" })],
  [without("cookie", { url: "/?token=" })],
  [without("cookie", { url: `/api/course?token=${TOKEN}` })],
  [without("cookie", { url: `/ws?token=${TOKEN}`, upgrade: true })],
])("given a wrong or missing secret, when it asks, then it is refused (%#)", (request) => {
  expect(status(request)).toBe(401);
});

test("given the start address, when it is opened, then the token leaves the address and the rest stays", () => {
  const exchange = (url: string): unknown => decide(without("cookie", { url }), rules);

  expect(exchange(`/?token=${TOKEN}`)).toEqual({ answer: "exchange", location: "/" });
  expect(exchange(`/?lesson=retry&token=${TOKEN}&x=%3Cscript%3E`)).toEqual({
    answer: "exchange",
    location: "/?lesson=retry&x=%3Cscript%3E",
  });
});

test("given --host with an address of the network, when rules are made, then that address is one more name", () => {
  const wide = makeRules("192.168.1.5", 80, { token: TOKEN, cookieValue: COOKIE });

  expect(wide.hosts).toContain("192.168.1.5");
  expect(wide.origins).toContain("http://192.168.1.5:80");
  expect(makeRules("0.0.0.0", PORT, { token: TOKEN, cookieValue: COOKIE }).hosts).toEqual(rules.hosts);
});
