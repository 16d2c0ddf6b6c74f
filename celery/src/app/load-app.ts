import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AppLoadError } from "../protocol/errors.ts";
import { describeLoadFailure } from "./load-failure.ts";
import type { CeleryApp } from "./types.ts";
import { makeTypeScriptLoadable } from "./typescript.ts";

const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"] as const;

/**
 * The app that `-A` names: `tasks` is `./tasks.ts` (or `.mts`, `.js`, `.mjs`, or that folder's `index`), `shop.tasks` is
 * `./shop/tasks.ts`, `tasks:queue` its export `queue`. Without an export's name it is `app` or `celery`, else any
 * exported app, else the app of any exported task.
 *
 * @param include modules to load besides those that the app's configuration names.
 * @throws AppLoadError that says what is wrong, where, and what to do.
 * @see celery 5.7.0 app/utils.py, `find_app`
 */
export async function loadApp(
  spec: string,
  cwd: string,
  include: readonly string[] = [],
): Promise<CeleryApp> {
  const [name = "", exportName] = spec.split(":");
  const file = findModule(name, cwd);
  const importModule = moduleImporter(cwd);
  const module = await importModule(file);
  const app = exportName === undefined ? findApp(module) : asApp(module[exportName]);
  if (app !== undefined) {
    for (const more of [...app.conf.include, ...app.conf.imports, ...include]) {
      // Their tasks register themselves.
      await importModule(findModule(more, cwd));
    }
    return app;
  }
  const found = Object.keys(module).join(", ") || "nothing";
  throw new AppLoadError(
    exportName === undefined
      ? `${file} exports no app and no task (it exports ${found}).\nExport one: export const app = new Celery("${name}", { broker: "redis://localhost:6379/0" });`
      : `${file} has no app under the name "${exportName}" (it exports ${found}).`,
  );
}

function findModule(name: string, cwd: string): string {
  const base = resolve(cwd, /[/\\]|\.[mc]?[jt]s$/.test(name) ? name : name.replaceAll(".", "/"));
  const candidates = [
    base,
    ...EXTENSIONS.map((extension) => base + extension),
    ...EXTENSIONS.map((extension) => join(base, `index${extension}`)),
  ];
  const file = candidates.find((path) => existsSync(path) && statSync(path).isFile());
  if (file !== undefined) return file;
  throw new AppLoadError(
    `There is no module "${name}" in ${cwd}: looked for ${name}.ts, ${name}.js and ${name}/index.ts.\n` +
      "Start celery in the folder that holds it, or say where: celery --workdir path/to/project -A tasks worker",
  );
}

type ImportModule = (file: string) => Promise<Record<string, unknown>>;

/** What reads TypeScript is set up with the first module that needs it. */
function moduleImporter(cwd: string): ImportModule {
  let readsTypeScript = false;
  return async (file) => {
    if (!readsTypeScript && /\.m?ts$/.test(file)) {
      readsTypeScript = true;
      makeTypeScriptLoadable();
    }
    try {
      return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    } catch (error) {
      throw new AppLoadError(describeLoadFailure(error, file, cwd), { cause: error });
    }
  };
}

function findApp(module: Record<string, unknown>): CeleryApp | undefined {
  const values = Object.values(module);
  return (
    asApp(module["app"]) ??
    asApp(module["celery"]) ??
    values.map(asApp).find((app) => app !== undefined) ??
    values.map(appOfTask).find((app) => app !== undefined)
  );
}

/** By shape, not by class: the learner's module may have loaded another copy of this package. */
function asApp(value: unknown): CeleryApp | undefined {
  const app = value as Partial<CeleryApp> | null | undefined;
  return typeof app === "object" &&
    app !== null &&
    app.tasks instanceof Map &&
    typeof app.sendTask === "function"
    ? (app as CeleryApp)
    : undefined;
}

function appOfTask(value: unknown): CeleryApp | undefined {
  return typeof value === "function" && "app" in value ? asApp(value.app) : undefined;
}
