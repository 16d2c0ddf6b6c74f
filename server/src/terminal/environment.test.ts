import { expect, test } from "vitest";
import { shellEnvironment } from "./environment.ts";

const secrets = Object.fromEntries(
  [
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "NODE_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "SSH_AUTH_SOCK",
    "npm_config_registry",
    "npm_lifecycle_event",
    "PYTHONPATH",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "HISTFILE",
    "INIT_CWD",
    "PLAYGROUND_TOKEN",
  ].map((name) => [name, `canary of ${name}`]),
);

test("given secrets around the server, when a shell's environment is made, then none is in it", () => {
  const env = shellEnvironment(
    { ...secrets, PATH: "/usr/bin", HOME: "/home/ada" },
    { REDIS_URL: "redis://x" },
  );

  expect(Object.values(env).join(" ")).not.toContain("canary");
  expect(env).toMatchObject({
    PATH: "/usr/bin",
    HOME: "/home/ada",
    REDIS_URL: "redis://x",
    TERM: "xterm-256color",
  });
});

test("given npm's folders in front of the path, when the environment is made, then only the user's own are left", () => {
  const PATH = "/project/node_modules/.bin:/node_modules/.bin:/x/node-gyp-bin::/opt/bin:/usr/bin";

  expect(shellEnvironment({ PATH }, {})["PATH"]).toBe("/opt/bin:/usr/bin");
  expect(shellEnvironment({}, {})["PATH"]).toContain("/usr/bin");
});

test("given a locale without UTF-8, when the environment is made, then it gets one", () => {
  expect(shellEnvironment({ LANG: "C" }, {})["LC_CTYPE"]).toMatch(/UTF-8$/);
  expect(shellEnvironment({ LANG: "en_GB.UTF-8", LC_ALL: "POSIX" }, {})["LC_ALL"]).toMatch(/UTF-8$/);
  expect(shellEnvironment({ LANG: "de_DE.UTF-8" }, {})).toMatchObject({ LANG: "de_DE.UTF-8" });
});

test("given extra variables, when the environment is made, then they win", () => {
  expect(shellEnvironment({ PATH: "/usr/bin" }, { PATH: "/own:/usr/bin" })["PATH"]).toBe("/own:/usr/bin");
});
