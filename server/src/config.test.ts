import { expect, test } from "vitest";
import { type Config, readConfig } from "./config.ts";

const read = (argv: readonly string[], env: Record<string, string> = {}): ReturnType<typeof readConfig> =>
  readConfig(argv, env, "/repo");

function config(argv: readonly string[], env: Record<string, string> = {}): Config {
  const command = read(argv, env);
  if (command.do !== "run") throw new Error(command.text);
  return command.config;
}

test("given nothing, when the configuration is read, then it is loopback, the usual port and the project's folders", () => {
  expect(config([])).toEqual({
    port: 7480,
    portIsWish: false,
    host: "127.0.0.1",
    open: true,
    workspace: "/repo/.workspace",
    lessons: "/repo/lessons",
    redisUrl: undefined,
    redisServerBin: undefined,
    emulator: false,
    logLevel: "warn",
    pty: undefined,
    endWithLauncher: false,
  });
});

test("given PORT and --port, when the configuration is read, then the argument wins", () => {
  expect(config(["--port", "0"], { PORT: "5000" })).toMatchObject({ port: 0, portIsWish: true });
  expect(config([], { PORT: "5000" })).toMatchObject({ port: 5000, portIsWish: true });
});

test("given empty variables, when the configuration is read, then they count as unset", () => {
  expect(config([], { PORT: "", REDIS_URL: " ", LOG_LEVEL: "" })).toEqual(config([]));
});

test.each([
  [["--port", "70000"], {}, '--port "70000" is no port'],
  [["--port", "http"], {}, '--port "http" is no port'],
  [[], { LOG_LEVEL: "loud" }, 'LOG_LEVEL "loud" is no log level'],
  [["--host", "my-machine"], {}, '--host "my-machine" is no address'],
  [["--host", "127.0.0.1.evil.com"], {}, "is no address"],
  [["--pty", "tmux"], {}, '--pty "tmux" is no way to run panes'],
  [["--prot", "1"], {}, "Unknown option '--prot'"],
  [["lesson-1"], {}, "Unexpected argument 'lesson-1'"],
])("given %j with %j, when the configuration is read, then it is refused with %j", (argv, env, message) => {
  expect(read(argv, env as Record<string, string>)).toEqual({
    do: "say",
    exit: 2,
    text: expect.stringContaining(message),
  });
});

test("given two bad values, when the configuration is read, then both are reported", () => {
  const command = read(["--port", "x"], { LOG_LEVEL: "loud" });
  expect(command).toMatchObject({ text: expect.stringMatching(/--port "x"[\s\S]*LOG_LEVEL "loud"/) });
});

test.each(["0.0.0.0", "192.168.1.5", "10.0.0.1", "::"])(
  "given --host %s, when it is not acknowledged, then it is refused; when it is, then it is taken",
  (host) => {
    expect(read(["--host", host])).toMatchObject({ do: "say", exit: 2 });
    expect(config(["--host", host, "--allow-shell-access"])).toMatchObject({ host });
  },
);

test("given --help, when the configuration is read, then it is the usage and success", () => {
  expect(read(["--help"])).toMatchObject({
    do: "say",
    exit: 0,
    text: expect.stringContaining("--workspace DIR"),
  });
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["127.8.9.1", "127.8.9.1"],
  ["::1", "::1"],
  ["localhost", "127.0.0.1"],
])(
  "given --host %s, when the configuration is read, then it listens on %s and asks no more",
  (host, listens) => {
    expect(config(["--host", host])).toMatchObject({ host: listens });
  },
);
