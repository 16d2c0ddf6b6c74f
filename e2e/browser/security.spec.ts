import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "./fixtures.ts";

/** A page of somebody else, on another loopback port. */
async function startForeignSite(): Promise<{ origin: string } & AsyncDisposable> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>elsewhere</title><p>Hello.</p>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, [Symbol.asyncDispose]: async () => void server.close() };
}

test("given a signed-in browser, when a page from another origin opens the socket, then it is refused", async ({
  page,
  playground,
}) => {
  await using site = await startForeignSite();
  await page.goto(playground.url);
  await page.goto(site.origin);

  const outcome = await page.evaluate(
    (target) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(target);
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("refused");
      }),
    `${playground.origin.replace("http", "ws")}/ws`,
  );

  expect(outcome).toBe("refused");
});

test("given a signed-in browser, when a page from another origin reads or frames ours, then it gets nothing", async ({
  page,
  playground,
}) => {
  await using site = await startForeignSite();
  await page.goto(playground.url);
  await page.goto(site.origin);
  const target = playground.origin;

  const read = await page.evaluate(
    (url) =>
      fetch(`${url}/api/course`, { credentials: "include" }).then(
        () => "read",
        () => "blocked",
      ),
    target,
  );
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
  }, target);
  const framed = page.frames().find((frame) => frame.url().startsWith(target));

  expect(read).toBe("blocked");
  expect(framed).toBeUndefined();
});

test("given no cookie, when the page is opened without the token, then it says where to find the address", async ({
  page,
  playground,
}) => {
  const response = await page.goto(playground.origin);

  expect(response?.status()).toBe(401);
  await expect(page.locator("body")).toContainText(/token|address/i);
});

test("given the start address, when it is opened, then the token leaves the address bar", async ({
  page,
  lessonPage,
}) => {
  await expect(lessonPage.lesson).toBeVisible();
  expect(page.url()).not.toContain("token");
});
