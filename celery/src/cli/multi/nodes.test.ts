import { describe, expect, test } from "vitest";
import { type MultiNode, makeNodes, shellLine } from "./nodes.ts";
import { parseMulti } from "./parse.ts";

const nodes = (line: string): readonly MultiNode[] =>
  makeNodes(parseMulti(line.split(" ")), {
    hostname: "host.example.com",
    cwd: "/run",
    globals: ["-A", "tasks"],
  });
const options = (line: string): readonly string[] =>
  nodes(line).map(({ argv }) => argv.slice(argv.indexOf("-n") + 2, -2).join(" "));

describe("names", () => {
  test.each([
    ["3", ["celery1@host.example.com", "celery2@host.example.com", "celery3@host.example.com"]],
    ["2 --range-prefix=worker", ["worker1@host.example.com", "worker2@host.example.com"]],
    ["image data", ["image@host.example.com", "data@host.example.com"]],
    ["2 --hostname=w.net", ["celery1@w.net", "celery2@w.net"]],
    ["foo@%h bar@b.net", ["foo@host.example.com", "bar@b.net"]],
    ["x y --prefix p- -n h", ["p-x@h", "p-y@h"]],
    ["back-end", ["back-end@host.example.com"]],
  ])("given %s, when read, then the nodes are named as Celery names them", (line, names) => {
    expect(nodes(line).map(({ name }) => name)).toEqual(names);
  });
});

describe("options", () => {
  test.each([
    ["3 -c 3 -c:1 10", ["-c 10", "-c 3", "-c 3"]],
    ["5 -c 3 -c:1-3 10", ["-c 10", "-c 10", "-c 10", "-c 3", "-c 3"]],
    ["3 -c 3 -c:1,3 10 -E", ["-c 10 -E", "-c 3 -E", "-c 10 -E"]],
    ["image data -c 3 -c:image 10", ["-c 10", "-c 3"]],
    ["image video data -c 3 -c:2 10", ["-c 3", "-c 10", "-c 3"]],
    ["foo bar baz -c:foo,baz 1", ["-c 1", "", "-c 1"]],
    [
      "2 --concurrency=4 --concurrency:2=8 --loglevel info",
      ["--concurrency=4 --loglevel=info", "--concurrency=8 --loglevel=info"],
    ],
    ["2 -Q:1 images,video -Q default", ["-Q images,video", "-Q default"]],
    ["a b -c:a@host.example.com 7", ["-c 7", ""]],
  ])("given %s, when read, then each node has its own", (line, expected) => {
    expect(options(line)).toEqual(expected);
  });

  test("given patterns of files, when read, then each node's are its own, and absolute", () => {
    const [node] = nodes("w1 --pidfile=pids/%n.pid --logfile=/var/log/%n%I.log");

    expect(node).toMatchObject({ pidFile: "/run/pids/w1.pid", logFile: "/var/log/w1.log" });
    expect(node?.argv.slice(-2)).toEqual(["--pidfile=/run/pids/w1.pid", "--logfile=/var/log/w1.log"]);
    expect(nodes("w1")[0]).toMatchObject({ pidFile: "/run/w1.pid", logFile: "/run/w1.log" });
  });

  test("given options of celery itself and words after --, when read, then each stands where it belongs", () => {
    const [node] = nodes("w1 -b redis://x/1 -c 2 -- --purge");

    expect(shellLine(["celery", ...(node?.argv ?? [])])).toBe(
      "celery -A tasks -b redis://x/1 worker --detach -n w1@host.example.com -c 2 --pidfile=/run/w1.pid --logfile=/run/w1.log --purge",
    );
  });

  test("given a signal, when read, then it is one and not a name or an option", () => {
    expect(parseMulti(["2", "-KILL"])).toMatchObject({ names: ["2"], signal: "KILL" });
    expect(parseMulti(["2", "-9", "-c", "3"])).toMatchObject({ names: ["2"], signal: "9" });
    expect(parseMulti(["2", "-SIGINT"]).signal).toBe("SIGINT");
  });

  test("given what cannot be, when read, then it is said", () => {
    expect(() => nodes("a b -c:3 1")).toThrow("There is no node number 3: there are 2.");
    expect(() => nodes("-c 3")).toThrow(/Which nodes\?/);
    expect(() => nodes("2 --executable=/usr/bin/node")).toThrow(/'--executable'/);
  });
});
