import type { ClientMessage, Frame, PaneId, ServerMessage } from "server/protocol";
import type { Api } from "../net/api.ts";
import { openSocket, type SocketClock } from "../net/socket.ts";
import type { Link } from "../state/link.ts";
import { isLessonHere } from "../state/open-lesson.ts";
import { receive } from "../state/receive.ts";
import { lessonHref } from "../state/route.ts";
import { putNotice, type Store } from "../state/store.ts";
import { openTerminalFeed, type TerminalFeeds } from "../state/terminal-feed.ts";

export interface ConnectDeps {
  readonly store: Store;
  readonly api: Api;
  readonly clock: SocketClock;
}

/** Opens the socket and leads what comes to the store and to the terminals. */
export function connect({ store, api, clock }: ConnectDeps): { link: Link; feeds: TerminalFeeds } {
  const feed = (pane: PaneId): TerminalFeeds[PaneId] =>
    openTerminalFeed((bytes) => void link.tell({ type: "ack", pane, bytes }));
  const feeds: TerminalFeeds = { broker: feed("broker"), worker: feed("worker"), producer: feed("producer") };
  const link: Link = openSocket({
    connect: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`),
    clock,
    random: Math.random,
    isRefused: async () => api.isRefused(),
    hello: () => hello(store, feeds),
    onConnection: (connection) => {
      store.connection.value = connection;
    },
    onMessage: (message) => onMessage(store, feeds, message, clock.now()),
    onFrame: (frame) => onFrame(feeds, frame),
  });
  return { link, feeds };
}

function hello(store: Store, feeds: TerminalFeeds): ClientMessage {
  const positions = Object.entries(feeds).flatMap(([pane, feed]) => {
    const position = feed.position();
    return position === undefined ? [] : [[pane, position] as const];
  });
  return { type: "hello", lesson: store.lesson.value?.slug ?? null, panes: Object.fromEntries(positions) };
}

function onFrame(feeds: TerminalFeeds, { kind, pane, seq, bytes }: Frame): void {
  if (kind === "data") feeds[pane].data(seq, bytes);
  if (kind === "snapshot") feeds[pane].snapshot(seq, bytes);
}

type Incoming = Exclude<ServerMessage, { type: "done" | "pong" }>;

function onMessage(store: Store, feeds: TerminalFeeds, message: Incoming, now: number): void {
  if (message.type === "error") {
    return putNotice(store, { id: `error.${message.code}`, level: "error", text: message.message });
  }
  if (message.type === "pane") feeds[message.pane].epoch(message.state.epoch);
  if (message.type === "lesson") followOtherTab(store, message.lesson.slug);
  receive(store, message, now);
}

/** All tabs show one lesson, because it has one set of shells: when another tab opens one, this page goes along. */
function followOtherTab(store: Store, slug: string): void {
  const route = store.route.value;
  if (route.page !== "lesson" || !isLessonHere(store, route.slug) || route.slug === slug) return;
  store.route.value = { page: "lesson", slug, file: null, anchor: null };
  history.replaceState(null, "", lessonHref(slug));
}
