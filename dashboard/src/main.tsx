/** Boot: the snapshot fills the store, the live stream keeps it, the route shows it. */

import { render } from "preact";
import { Shell } from "./app/shell";
import { createTheme } from "./app/theme";
import { createClock } from "./base/clock";
import { isTyping, Keymap } from "./base/keys";
import { oneOf, param } from "./base/params";
import { createRouter, windowBar } from "./base/router";
import { createApi } from "./data/api";
import { PageContext, type Page } from "./data/context";
import { createLive } from "./data/leader";
import { instant, object } from "./data/read";
import { createStore } from "./data/store";

function boot(): void {
  const snapshot = readSnapshot();
  const fetcher: typeof fetch = (input, init) => fetch(input, init);
  const clock = createClock(instant(object(snapshot)["now"]));
  const api = createApi(fetcher);
  const store = createStore(api);
  const router = createRouter(windowBar(window));
  const theme = createTheme(
    document.documentElement,
    () => localStorage,
    matchMedia("(prefers-color-scheme: dark)"),
  );
  const live = createLive("/live", {
    fetch: fetcher,
    now: clock.read,
    random: Math.random,
    locks: navigator.locks,
    channel: new BroadcastChannel("alicia-live"),
    visible: () => document.visibilityState === "visible",
    onVisible: (listener) => document.addEventListener("visibilitychange", listener),
    onEvent: store.apply,
  });
  const page: Page = {
    api,
    store,
    router,
    clock,
    keys: new Keymap(),
    link: live.state,
    zone: param(router, "tz", oneOf("local", "utc")),
    theme: theme.shown,
  };
  store.seed(snapshot);
  store.refreshAll();
  clock.now.subscribe(store.age);
  watchVisibility(page);
  watchKeys(page);
  live.start();
  const root = document.getElementById("app");
  if (!root) throw new Error("the template has no #app");
  root.replaceChildren(); // the wall as plain HTML, for browsers without JavaScript
  render(
    <PageContext.Provider value={page}>
      <Shell theme={theme} />
    </PageContext.Provider>,
    root,
  );
}

/** The state the page was served with; without one the API is asked. */
function readSnapshot(): unknown {
  const block = document.getElementById("snapshot")?.textContent ?? "";
  try {
    return JSON.parse(block) as unknown;
  } catch {
    return {};
  }
}

function watchVisibility({ clock }: Page): void {
  const follow = () => {
    if (document.visibilityState === "visible") clock.start();
    else clock.stop();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

function watchKeys({ keys }: Page): void {
  document.addEventListener("keydown", (e) => {
    const hit = keys.press({
      key: e.key,
      at: e.timeStamp,
      typing: isTyping(e.target),
      modified: e.ctrlKey || e.metaKey || e.altKey,
    });
    if (hit) e.preventDefault();
  });
}

boot();
