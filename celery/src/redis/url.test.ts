import { expect, test } from "vitest";
import { fanoutPrefix, maskUrl, parseRedisUrl, sameDatabase } from "./url.ts";

test.each([
  ["redis://localhost", { host: "localhost", port: 6379, db: 0 }],
  ["redis://127.0.0.1:6380/2", { host: "127.0.0.1", port: 6380, db: 2 }],
  ["redis://:p%40ss@h/1", { host: "h", db: 1, password: "p@ss", username: undefined }],
  ["rediss://u:p@h:1", { username: "u", password: "p", tls: true }],
  ["redis://[::1]:7/3", { host: "::1", port: 7, db: 3 }],
  ["redis://h?db=4", { host: "h", db: 4 }],
  ["redis://h/1?virtual_host=4", { db: 4 }],
  ["redis:///2", { host: "localhost", db: 2 }],
  ["redis://tokenonly@h", { username: "tokenonly", password: undefined }],
  ["redis+socket:///run/r.sock?virtual_host=3", { path: "/run/r.sock", db: 3, tls: false }],
  ["redis+socket://:p%40ss@/run/r.sock", { path: "/run/r.sock", db: 0, password: "p@ss" }],
  ["unix://u:p@/run/r.sock?db=2", { path: "/run/r.sock", db: 2, username: "u", password: "p" }],
  ["socket:///run/r.sock", { path: "/run/r.sock", db: 0 }],
])("given %s, when read, then its parts are there", (url, parts) => {
  expect(parseRedisUrl(url)).toMatchObject(parts);
});

test("given a list of URLs, when read, then the first is the one, and the others stand by", () => {
  const { port, servers, isSentinel } = parseRedisUrl("redis://a:1/2;redis://b:2/2");
  expect({ port, isSentinel, hosts: servers.map(({ host }) => host) }).toEqual({
    port: 1,
    isSentinel: false,
    hosts: ["a", "b"],
  });
});

test("given Sentinels, when read, then theirs and the server's credentials are kept apart", () => {
  const kwargs = encodeURIComponent('{"password": "s", "ssl": true}');
  const target = parseRedisUrl(`sentinel://:p@a;sentinel://b:2?master_name=m&sentinel_kwargs=${kwargs}`);
  expect(target).toMatchObject({ port: 26_379, password: "p", isSentinel: true });
  expect(target.options.sentinel).toEqual({
    masterName: "m",
    minOtherSentinels: 0,
    username: undefined,
    password: "s",
    tls: true,
  });
});

test("given options, when read, then seconds are milliseconds and the rest has its meaning", () => {
  const { options } = parseRedisUrl(
    "rediss://h?socket_timeout=7&socket_connect_timeout=1.5&health_check_interval=0&socket_keepalive=false" +
      "&client_name=me&global_keyprefix=x%3A&ssl_cert_reqs=CERT_NONE&ssl_ca_certs=%2Fca.pem&fanout_patterns=False",
  );
  expect(options).toMatchObject({
    replyTimeoutMs: 7000,
    connectTimeoutMs: 1500,
    pingIntervalMs: 0,
    keepAlive: false,
    clientName: "me",
    keyPrefix: "x:",
    fanoutPatterns: false,
    tls: { verify: false, checkHostname: true, caFile: "/ca.pem" },
  });
});

test.each([
  ["redis://h?socket_timeot=1", 'there is no option "socket_timeot"'],
  ["redis://h?ssl_cert_reqs=none", "write rediss:// for redis://"],
  ["rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs must be required, optional or none"],
  ["redis://h?socket_timeout=soon", "socket_timeout must be a number of seconds"],
  ["sentinel://h", "which server do these Sentinels watch?"],
  ["sentinel://a/1;sentinel://b/2?master_name=m", "must name the same database"],
  ["sentinel://a;redis://b?master_name=m", "cannot be in one list"],
  ["redis+socket://host/path", "a socket's path is absolute"],
])("given %s, when read, then it is refused with the reason", (url, reason) => {
  expect(() => parseRedisUrl(url)).toThrow(reason);
});

test.each([
  [undefined, "/3."],
  ["true", "/3."],
  ["false", ""],
  ["/mine-{db}.", "/mine-3."],
])("given the fanout prefix %s, when channels are named, then they begin with %s", (option, expected) => {
  expect(fanoutPrefix(`redis://h/3${option ? `?fanout_prefix=${encodeURIComponent(option)}` : ""}`)).toBe(
    expected,
  );
});

test.each(["", "localhost:6379", "amqp://guest@localhost//", "redis://h/x"])(
  "given %s, when read, then it is refused, quoted",
  (url) => {
    expect(() => parseRedisUrl(url)).toThrow(url === "" ? /not a Redis URL/ : url.slice(0, 8));
  },
);

test("given a password in a URL, when it is refused or shown, then the password is not", () => {
  expect(maskUrl("redis://:secret@h:1/0")).toBe("redis://:**@h:1/0");
  expect(maskUrl("redis://user:secret@h")).toBe("redis://user:**@h");
  expect(() => parseRedisUrl("amqp://user:secret@h")).toThrow(/^(?!.*secret)/);
});

test.each([
  ["redis://localhost", "redis://127.0.0.1:6379/0", true],
  ["redis://localhost/1", "redis://localhost/2", false],
  ["redis://a:1", "redis://a:2", false],
  ["redis+socket:///r.sock?virtual_host=1", "unix:///r.sock?db=1", true],
  ["redis://a?global_keyprefix=x", "redis://a", true],
  ["sentinel://a?master_name=m", "sentinel://a?master_name=n", false],
])("given %s and %s, then one database is %s", (a, b, same) => {
  expect(sameDatabase(a, b)).toBe(same);
});
