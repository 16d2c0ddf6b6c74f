import { defineConfig } from "@playwright/test";

/** The page in a real browser: Debian's Chromium, never a downloaded one. Each test starts its own server. */
export default defineConfig({
  testDir: "e2e/browser",
  outputDir: "test-results/browser",
  timeout: 120_000,
  workers: 2,
  fullyParallel: true,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"], ["json", { outputFile: "test-results/browser.json" }]],
  use: {
    launchOptions: {
      executablePath: process.env["CHROMIUM_BIN"] || "/usr/bin/chromium",
      // Chromium refuses its sandbox when it runs as root, as CI does.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
    trace: "retain-on-failure",
  },
});
