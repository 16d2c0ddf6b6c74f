import type { CourseView } from "server/protocol";
import { expect, test } from "vitest";
import { findLesson, homeLesson, nearestReady } from "./course.ts";

const lesson = (number: number, ready: boolean): CourseView["parts"][number]["lessons"][number] => ({
  number,
  slug: `l${number}`,
  title: `Lesson ${number}`,
  summary: "",
  minutes: ready ? 10 : null,
  ready,
});

const course: CourseView = {
  title: "Course",
  parts: [
    { title: "See it", lessons: [lesson(1, true), lesson(2, true), lesson(3, false)] },
    { title: "Use it", lessons: [lesson(4, false), lesson(5, true)] },
  ],
};

test("given a lesson of the second part, when it is found, then its part, neighbours and total are known", () => {
  expect(findLesson(course, "l4")).toMatchObject({
    part: "Use it",
    previous: { slug: "l3" },
    next: { slug: "l5" },
    total: 5,
  });
});

test("given lessons to come in between, when the next one is asked for, then they are passed over", () => {
  expect([nearestReady(course, "l2", 1)?.slug, nearestReady(course, "l5", -1)?.slug]).toEqual(["l5", "l2"]);
});

test("given the ends of the course, when one goes further, then there is nothing", () => {
  expect([nearestReady(course, "l1", -1), nearestReady(course, "l5", 1)]).toEqual([undefined, undefined]);
});

test.each([
  ["l2", "l2"],
  ["l3", "l1"],
  [null, "l1"],
  ["gone", "l1"],
])("given %s as the last lesson, when home is asked for, then it is %s", (last, home) => {
  expect(homeLesson(course, last)).toBe(home);
});
