import { resolve } from "node:path";
import { loadCourse } from "./course.ts";

/** `node server/dist/lessons/lint-cli.js <lessons folder>`: prints `file:line: message`, exits 1 if there are any. */
const dir = process.argv[2] ?? "lessons";
const { course, lessons, problems } = await loadCourse(resolve(dir));
for (const { file, line, message } of problems) process.stdout.write(`${dir}/${file}:${line}: ${message}\n`);
const total = course.parts.flatMap((part) => part.lessons).length;
const verdict = problems.length === 0 ? "no problems" : `${problems.length} problem(s)`;
process.stdout.write(`${lessons.size} ready lessons of ${total}: ${verdict}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
