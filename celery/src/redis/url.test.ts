import { expect, test } from "vitest";
import { maskUrl, parseRedisUrl, sameDatabase } from "./url.ts";

test.each([
  ["redis://localhost", { host: "localhost", port: 6379, db: 0 }],
  ["redis://127.0.0.1:6380/2", { host: "127.0.0.1", port: 6380, db: 2 }],
  ["redis://:p%40ss@h/1", { host: "h", db: 1, password: "p@ss", username: undefined }],
  ["rediss://u:p@h:1", { username: "u", password: "p", tls: true }],
  ["redis://[::1]:7/3", { host: "::1", port: 7, db: 3 }],
])("given %s, when read, then its parts are there", (url, parts) => {
  expect(parseRedisUrl(url)).toMatchObject(parts);
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
])("given %s and %s, then one database is %s", (a, b, same) => {
  expect(sameDatabase(a, b)).toBe(same);
});
