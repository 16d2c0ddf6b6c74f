import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Celery } from "../../src/app/celery.ts";
import type { ConfInput } from "../../src/app/conf-values.ts";
import { openConnection } from "../../src/redis/connection.ts";
import { makeCertificate, startSentinelLab, startTlsRedis } from "../support/redis-kinds.ts";
import { startRedisServer } from "../support/redis-server.ts";
import { redisUrl } from "../support/redis-url.ts";
import { startTestWorker } from "../support/test-worker.ts";
import { proves } from "./compat.ts";
import { PythonClient } from "./python-celery.ts";

vi.setConfig({ testTimeout: 120_000 });

/** A configuration that both sides are given, word for word. */
type Settings = ConfInput & { readonly broker_url: string; readonly result_backend: string };

/** A way to reach Redis. */
interface Way {
  readonly feature: string;
  readonly open: () => Promise<{ readonly settings: Settings; readonly close: () => Promise<void> }>;
}

const ways: readonly Way[] = [
  {
    feature: "`rediss://` with certificates, in the URL and in `broker_use_ssl`",
    open: async () => {
      const certificate = await makeCertificate("IP:127.0.0.1");
      const server = await startTlsRedis(certificate);
      const { cert, key } = certificate;
      const ssl = {
        ssl_cert_reqs: "required",
        ssl_ca_certs: cert,
        ssl_certfile: cert,
        ssl_keyfile: key,
      } as const;
      return {
        settings: {
          broker_url: server.url,
          broker_use_ssl: ssl,
          result_backend: `${server.url}/1?${new URLSearchParams(ssl).toString()}`,
        },
        close: async () => {
          await server.stop();
          await certificate[Symbol.asyncDispose]();
        },
      };
    },
  },
  {
    feature: "Unix sockets, with a password and a database",
    open: async () => {
      const socket = join(tmpdir(), `celery-interop-${process.pid}.sock`);
      const server = await startRedisServer(["--unixsocket", socket, "--requirepass", "p@ss"]);
      const url = `redis+socket://:p%40ss@${socket}?virtual_host=3`;
      return { settings: { broker_url: url, result_backend: url }, close: () => server.stop() };
    },
  },
  {
    feature: "username and password (ACL)",
    open: async () => {
      const server = await startRedisServer(["--user", "fleet", "on", ">p@ss", "~*", "&*", "+@all"]);
      const url = `${server.url.replace("//", "//fleet:p%40ss@")}/2`;
      return { settings: { broker_url: url, result_backend: url }, close: () => server.stop() };
    },
  },
  {
    feature: "`global_keyprefix`, for broker and results",
    open: async () => {
      const url = `${redisUrl()}/62`;
      await using redis = openConnection(url);
      await redis.call("FLUSHDB");
      return {
        settings: {
          broker_url: url,
          result_backend: url,
          broker_transport_options: { global_keyprefix: "fleet:" },
          result_backend_transport_options: { global_keyprefix: "fleet-results" },
        },
        close: async () => {
          await using plain = openConnection(url);
          const keys = (await plain.call("KEYS", "*")) as readonly string[];
          expect(keys.filter((key) => !key.startsWith("fleet"))).toEqual([]);
          expect(keys.some((key) => key.startsWith("fleet-results_celery-task-meta-"))).toBe(true);
        },
      };
    },
  },
  {
    feature: "Sentinel",
    open: async () => {
      const lab = await startSentinelLab();
      const options = { master_name: lab.masterName };
      return {
        settings: {
          broker_url: `${lab.url}/0`,
          result_backend: `${lab.url}/0`,
          broker_transport_options: options,
          result_backend_transport_options: options,
        },
        close: () => lab[Symbol.asyncDispose]() as Promise<void>,
      };
    },
  },
];

let python: PythonClient;

beforeAll(async () => {
  python = await PythonClient.open(redisUrl(), "connections.py");
}, 360_000);
afterAll(() => python?.[Symbol.asyncDispose]());

describe.each(ways)("given $feature, set the same on both sides", ({ feature, open }) => {
  let settings: Settings;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ settings, close } = await open());
  });
  afterAll(() => close());

  test("when Python sends, then our worker runs it", async () => {
    proves("Connections", feature, "python → ours");
    await using app = closing(new Celery("connections", settings));
    app.task("connections.add", (x: number, y: number) => x + y);
    await using _worker = await startTestWorker(app);

    expect(await python.ask({ command: "call", conf: settings, args: [2, 3] })).toBe(5);
  });

  test("when we send, then Python's worker runs it, and answers our ping", async () => {
    proves("Connections", feature, "ours → python");
    await using app = closing(new Celery("connections", settings));
    await python.ask({ command: "work", conf: settings });
    try {
      const result = await app.sendTask("connections.add", [4, 5]);
      expect(await result.get({ timeout: 30 })).toBe(9);
      expect(Object.values(await app.control.ping({ timeout: 30 }))).toEqual([{ ok: "pong" }]);
    } finally {
      await python.ask({ command: "rest" });
    }
  });
});

function closing(app: Celery): Celery & AsyncDisposable {
  return Object.assign(app, { [Symbol.asyncDispose]: () => app.close() });
}
