import type { CourseView, LessonView, PaneId } from "server/protocol";

/** The few plain requests of the page; everything else travels on the socket. */
export interface Api {
  /** @throws Error when the server does not answer with a course. */
  course(): Promise<CourseView>;
  /** The lesson's text before the socket is up; `undefined` when it cannot be had. */
  lesson(slug: string): Promise<LessonView | undefined>;
  /** Text of a pane's screen and scrollback, without escape sequences. */
  paneText(pane: PaneId): Promise<string>;
  /** The server answers and refuses this page's key: it was started again since. */
  isRefused(): Promise<boolean>;
}

export function openApi(request: typeof fetch): Api {
  const get = async (path: string): Promise<Response> =>
    request(path, { credentials: "same-origin", cache: "no-store" });
  return {
    async course() {
      return (await ok(await get("/api/course"))).json() as Promise<CourseView>;
    },
    async lesson(slug) {
      const response = await get(`/api/lessons/${encodeURIComponent(slug)}`).catch(() => undefined);
      return response?.ok ? ((await response.json()) as LessonView) : undefined;
    },
    async paneText(pane) {
      return (await ok(await get(`/api/panes/${pane}/text`))).text();
    },
    async isRefused() {
      const response = await get("/api/course").catch(() => undefined);
      return response?.status === 401 || response?.status === 403;
    },
  };
}

async function ok(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`The server answered ${response.status} to ${response.url}.`);
  return response;
}
