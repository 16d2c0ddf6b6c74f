import { expect, test } from "vitest";
import { maskUrl, withUrlOptions } from "./connection-url.ts";

test.each([
  ["redis://:secret@h:1/0", "redis://:**@h:1/0"],
  ["redis://user:secret@h", "redis://user:**@h"],
  ["redis://h/1?global_keyprefix=x&ssl_password=secret", "redis://h/1"],
  ["redis+socket://:secret@/run/r?virtual_host=2&client_name=me", "redis+socket://:**@/run/r?virtual_host=2"],
  [
    "sentinel://:secret@a;sentinel://:secret@b/0?sentinel_kwargs=%7B%22password%22%3A%22secret%22%7D",
    "sentinel://:**@a;sentinel://:**@b/0",
  ],
])("given %s, when it is shown, then without secrets", (url, shown) => {
  expect(maskUrl(url)).toBe(shown);
});

test.each([
  ["redis://h/1", {}, "redis://h/1"],
  ["redis://h/1", { a: null, b: undefined }, "redis://h/1"],
  ["redis://h/1", { a: "x y", b: 2, c: false }, "redis://h/1?a=x%20y&b=2&c=false"],
  ["redis://h?a=said", { a: "given", b: 1 }, "redis://h?a=said&b=1"],
  ["sentinel://a;sentinel://b/0", { k: { p: 1 } }, "sentinel://a?k=%7B%22p%22%3A1%7D;sentinel://b/0"],
])(
  "given %s and options, when they are added, then what the URL says itself wins",
  (url, options, expected) => {
    expect(withUrlOptions(url, options)).toBe(expected);
  },
);

test("given that the connection is to be secret, when options are added, then the scheme says so", () => {
  expect(withUrlOptions("redis://a;redis://b", {}, true)).toBe("rediss://a;rediss://b");
});
