import "./styles/index.css";
import { render } from "preact";
import { openApi } from "./net/api.ts";
import type { SocketClock } from "./net/socket.ts";
import { App } from "./page/app.tsx";
import { connect } from "./page/connect.ts";
import { openLessonOfAddress } from "./page/open-lesson.ts";
import { followWindow, keepInBrowser, keepTyping, retryWhenBack, sha256, storageBox } from "./page/window.ts";
import { openActions } from "./state/actions.ts";
import { parseRoute } from "./state/route.ts";
import { openSaver } from "./state/saver.ts";
import { openStore } from "./state/store.ts";
import { PROGRESS_KEY, parseProgress, parseSettings, readStored, SETTINGS_KEY } from "./state/stored.ts";
import { PageContext } from "./ui/page-context.ts";

const clock: SocketClock = {
  now: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

start();

/** The order of life: what was kept, the socket, what the learner can do, the screen. */
function start(): void {
  const box = storageBox();
  const store = openStore({
    route: parseRoute(location),
    progress: parseProgress(readStored(box, PROGRESS_KEY)),
    settings: parseSettings(readStored(box, SETTINGS_KEY)),
    viewport: "wide",
  });
  const api = openApi(fetch.bind(window));
  const { link, feeds } = connect({ store, api, clock });
  const saver = openSaver({ store, link, hash: sha256, after: (ms, then) => clock.after(ms, then) });
  const actions = openActions({
    store,
    link,
    saver,
    navigate: (href) => history.pushState(null, "", href),
    readLesson: async (slug) => api.lesson(slug),
    readPane: async (pane) => api.paneText(pane),
    now: () => clock.now(),
  });
  keepInBrowser(store, box);
  followWindow(store);
  keepTyping(store, actions);
  retryWhenBack(actions);
  openLessonOfAddress(store, api, actions);
  const app = document.getElementById("app");
  if (app === null) throw new Error("index.html has no element #app.");
  app.replaceChildren();
  const isTouch = matchMedia("(pointer: coarse)").matches;
  render(
    <PageContext.Provider value={{ store, actions }}>
      <App feeds={feeds} isTouch={isTouch} />
    </PageContext.Provider>,
    app,
  );
}
