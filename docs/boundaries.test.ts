import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { type Boundary, boundaries } from "./boundaries.ts";

const root = resolve(import.meta.dirname, "..");

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Our own packages, as a bare specifier names them. */
const OWN_PACKAGES: Readonly<Record<string, string>> = {
  "server/protocol": "server/src/protocol",
};

test("given every source file, when its imports are read, then the table allows each of them", () => {
  const imports = sourceFiles().flatMap(importsOf);
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.map(violation).filter((text) => text !== undefined)).toEqual([]);
});

test("given every source folder, when the table is read, then it names the folder", () => {
  const unnamed = sourceFiles().filter((file) => rowOf(file) === undefined);
  expect(unnamed).toEqual([]);
});

test("given the table, when the folders are listed, then none of its rows is stale", () => {
  const files = sourceFiles();
  const stale = Object.keys(boundaries).filter((row) => !files.some((file) => isIn(file, row)));
  expect(stale).toEqual([]);
});

test("given imports that the table forbids, when they are judged, then each is refused", () => {
  const judge = (file: string, target: string, typeOnly = false): string | undefined =>
    violation({ file, target, typeOnly });
  expect(judge("celery/src/app/task.ts", "ioredis")).toContain("ioredis");
  expect(judge("client/src/net/socket.ts", "server/src/protocol/frames.ts")).toContain("only types");
  expect(judge("client/src/net/socket.ts", "server/src/protocol/frames.ts", true)).toBeUndefined();
  expect(judge("client/src/state/lesson.ts", "node:fs")).toContain("node:fs");
  expect(judge("celery/src/protocol/message.ts", "celery/src/redis/keys.ts")).toContain("celery/src/redis");
});

function sourceFiles(): string[] {
  const roots = ["celery/src", "server/src", "client/src", "lessons", "examples", "e2e", "bench"];
  return roots
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    )
    .filter(
      (file) =>
        /\.tsx?$/.test(file) && !/\.test\.tsx?$|\.d\.ts$/.test(file) && !file.includes("node_modules"),
    );
}

/** Static imports, re-exports and dynamic imports with a literal. Text is enough: the sources are ours. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statics = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm),
  ];
  const dynamics = [...text.matchAll(/\bimport\(\s*["']([@\w./:-]+)["']\s*\)/g)];
  return [
    ...statics.map(([, type, name]) => ({
      file,
      target: resolveTarget(file, name ?? ""),
      typeOnly: type !== undefined,
    })),
    ...dynamics.map(([, name]) => ({ file, target: resolveTarget(file, name ?? ""), typeOnly: false })),
  ];
}

function resolveTarget(file: string, name: string): string {
  if (name.startsWith(".")) return relative(root, resolve(root, dirname(file), name));
  return OWN_PACKAGES[name] ?? name;
}

function violation({ file, target, typeOnly }: Import): string | undefined {
  const row = rowOf(file);
  if (row === undefined) return undefined;
  const rule = boundaries[row] as Boundary;
  if (isIn(target, row) || rule.own.some((own) => isIn(target, own))) return undefined;
  if (rule.typesOnly?.some((own) => isIn(target, own))) {
    return typeOnly ? undefined : `${file}: only types of ${target} may be imported`;
  }
  if (target.startsWith("node:") && !rule.noNode) return undefined;
  if (rule.packages.some((name) => matchesPackage(target, name))) return undefined;
  return `${file}: ${row} may not import ${target}`;
}

/** The longest row wins, so that `server/src/main.ts` is not judged as a folder above it. */
function rowOf(file: string): string | undefined {
  return Object.keys(boundaries)
    .filter((row) => isIn(file, row))
    .sort((a, b) => b.length - a.length)[0];
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function matchesPackage(target: string, name: string): boolean {
  return name.endsWith("/*") ? target.startsWith(name.slice(0, -1)) : isIn(target, name);
}
