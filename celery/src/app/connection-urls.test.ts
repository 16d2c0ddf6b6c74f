import { expect, test } from "vitest";
import { Celery } from "./celery.ts";
import type { ConfInput } from "./conf-values.ts";

function urlsOf(settings: ConfInput): readonly [broker: string, backend: string | undefined] {
  const app = new Celery("t", { result_backend: "redis://h/2", broker_url: "redis://h/1", ...settings });
  return [app.brokerUrl, app.resultBackendUrl];
}

test("given no settings about connections, then the URLs are as they were written", () => {
  expect(urlsOf({})).toEqual(["redis://h/1", "redis://h/2"]);
});

test.each<[string, ConfInput, string]>([
  ["a list of brokers", { broker_url: ["redis://a", "redis://b"] }, "redis://a;redis://b"],
  ["a prefix", { broker_transport_options: { global_keyprefix: "x" } }, "redis://h/1?global_keyprefix=x"],
  ["TLS", { broker_use_ssl: true }, "rediss://h/1?ssl_cert_reqs=required"],
  [
    "certificates",
    { broker_use_ssl: { ssl_ca_certs: "/ca.pem", ssl_cert_reqs: "none" } },
    "rediss://h/1?ssl_cert_reqs=none&ssl_ca_certs=%2Fca.pem",
  ],
  ["no TLS", { broker_use_ssl: false }, "redis://h/1"],
  [
    "an option that the URL has too",
    { broker_url: "redis://h?socket_timeout=9", broker_transport_options: { socket_timeout: 3 } },
    "redis://h?socket_timeout=9",
  ],
  [
    "Sentinels",
    {
      broker_url: "sentinel://a;sentinel://b",
      broker_transport_options: { master_name: "m", sentinel_kwargs: { password: "p" } },
    },
    "sentinel://a?master_name=m&sentinel_kwargs=%7B%22password%22%3A%22p%22%7D;sentinel://b",
  ],
])("given %s, then the broker's URL says so", (_what, settings, expected) => {
  expect(urlsOf(settings)[0]).toBe(expected);
});

test.each<[ConfInput, string]>([
  [
    { result_backend_transport_options: { global_keyprefix: "x" }, redis_socket_timeout: 4 },
    "redis://h/2?global_keyprefix=x_&socket_timeout=4",
  ],
  [{ result_backend_transport_options: { global_keyprefix: "x:" } }, "redis://h/2?global_keyprefix=x%3A"],
  [{ redis_backend_use_ssl: { ssl_cert_reqs: "none" } }, "rediss://h/2?ssl_cert_reqs=none"],
])("given %o, then the result store's URL says so, and the broker's does not", (settings, expected) => {
  expect(urlsOf(settings)).toEqual(["redis://h/1", expected]);
});

test.each<[ConfInput, RegExp]>([
  [{ broker_use_ssl: { ssl_ca: "x" } as never }, /broker_use_ssl = .*Unrecognized key: "ssl_ca"/],
  [{ broker_transport_options: { socket_timeout: -1 } }, /broker_transport_options\.socket_timeout = -1/],
  [{ broker_failover_strategy: "shuffle" as never }, /only "round-robin"/],
])("given %o, then it is refused with what is possible", (settings, reason) => {
  expect(() => urlsOf(settings)).toThrow(reason);
});
