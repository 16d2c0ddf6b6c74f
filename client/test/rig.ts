import type { Link, Question, Reply } from "../src/state/link.ts";
import { NO_PROGRESS } from "../src/state/progress.ts";
import { DEFAULT_SETTINGS } from "../src/state/settings.ts";
import { openStore, type Store } from "../src/state/store.ts";

/** A page that has just been opened, and is connected. */
export function aStore(): Store {
  const store = openStore({
    route: { page: "home" },
    progress: NO_PROGRESS,
    settings: DEFAULT_SETTINGS,
    viewport: "wide",
  });
  store.connection.value = { phase: "open", latencyMs: 1 };
  return store;
}

export interface AskedServer {
  readonly link: Link;
  /** Oldest first. */
  readonly asked: readonly Question[];
  /** Answers the oldest open question. */
  readonly reply: (reply: Reply) => void;
}

/** A server that answers when the test says so; with `answer`, at once. */
export function aServer(answer?: () => Reply): AskedServer {
  const asked: Question[] = [];
  const open: ((reply: Reply) => void)[] = [];
  const link: Link = {
    ask: async (question) => {
      asked.push(question);
      return answer?.() ?? new Promise((fulfil) => open.push(fulfil));
    },
    tell: () => true,
    input: () => true,
    retryNow: () => {},
  };
  return { link, asked, reply: (reply) => open.shift()?.(reply) };
}
