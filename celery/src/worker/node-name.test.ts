import { expect, test } from "vitest";
import { expandFileName, expandNodeName } from "./node-name.ts";

// Right-hand sides from celery 5.7.0: host_format(default_nodename(given)) on a host of that name.
test.each([
  { given: undefined, host: "vm.example.com", name: "celery@vm.example.com" },
  { given: "w1@%h", host: "vm.example.com", name: "w1@vm.example.com" },
  { given: "w1@%n", host: "vm.example.com", name: "w1@vm" },
  { given: "w1@%d", host: "vm.example.com", name: "w1@example.com" },
  { given: "w1", host: "vm", name: "celery@w1" },
  { given: "w1@", host: "vm", name: "w1@vm" },
  { given: "100%%@%h", host: "vm", name: "100%@vm" },
])("given $given on $host, when expanded, then the node is $name", ({ given, host, name }) => {
  expect(expandNodeName(given, host)).toBe(name);
});

test.each([
  ["%n.log", "w1.log"],
  ["%n%I.log", "w1.log"],
  ["/var/log/%h/%n-%i.log", "/var/log/box.example.com/w1-.log"],
  ["%p %d 100%%", "w1@box.example.com example.com 100%"],
  ["%x", "%x"],
])("given the file name %j, when it is expanded, then it is %j", (pattern, expanded) => {
  expect(expandFileName(pattern, "w1@box.example.com")).toBe(expanded);
});
