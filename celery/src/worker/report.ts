import { arch, release, type } from "node:os";
import { makeConf } from "../app/conf.ts";
import type { CeleryApp } from "../app/types.ts";
import { maskUrl } from "../protocol/connection-url.ts";
import { hideSecrets } from "../protocol/hidden-settings.ts";

export interface ReportOptions {
  readonly version: string;
  /** How the app was found: the `-A` of the command line, or in words. */
  readonly loader: string;
}

/** What to put into a bug report: versions, platform, settings. @see celery 5.7.0 app/utils.py, `bugreport` */
export function renderReport(app: CeleryApp, { version, loader }: ReportOptions): string {
  const results = app.resultBackendUrl === undefined ? "disabled" : maskUrl(app.resultBackendUrl);
  return `
software -> celery:${version} node:${process.versions.node} v8:${process.versions.v8}
platform -> system:${type()} arch:${arch()}
            kernel version:${release()} imp:TypeScript
loader   -> ${loader}
settings -> transport:redis results:${results}
            broker:${maskUrl(app.brokerUrl)}
tasks    -> ${[...app.tasks.keys()].sort().join(", ") || "none"}

${changedSettings(app)}
`;
}

function changedSettings(app: CeleryApp): string {
  const [settings, defaults] = [plain(app.conf), plain(makeConf())];
  return Object.entries(hideSecrets(settings))
    .filter(([key]) => JSON.stringify(settings[key]) !== JSON.stringify(defaults[key]))
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join("\n");
}

function plain(settings: object): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(settings, (_key, inner: unknown) =>
    typeof inner === "function" ? "<function>" : inner,
  );
  return JSON.parse(text) as Record<string, unknown>;
}
