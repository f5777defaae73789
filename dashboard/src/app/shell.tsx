/** The frame around every screen: rail, top bar, keys, and the screen of the route. */

import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { zoneName } from "../base/format";
import { usePage } from "../data/context";
import { counts } from "../data/counts";
import { Skeleton } from "../ui/empty";
import { Announcer } from "./announcer";
import { KeySheet } from "./keysheet";
import { Pill } from "./pill";
import { Rail } from "./rail";
import { ROUTES, routeOf, type Route } from "./routes";
import { SignIn } from "./signin";
import type { Theme } from "./theme";

export function Shell({ theme }: { theme: Theme }) {
  const { router, store } = usePage();
  const signIn = store.services.problem.value?.status === 401;
  const keysOpen = useSignal(false);
  useFrameKeys(() => (keysOpen.value = !keysOpen.value));
  useTitle();
  return (
    <div class="shell">
      <Rail theme={theme} onKeys={() => (keysOpen.value = true)} />
      <header class="topbar">
        <span class="wordmark">Alicia</span>
        <ZoneChip />
        <Pill />
      </header>
      <main id="main">
        {signIn ? <SignIn /> : <Screen route={routeOf(router.place.value.path)} />}
      </main>
      <Announcer />
      {keysOpen.value && <KeySheet onClose={() => (keysOpen.value = false)} />}
    </div>
  );
}

/** The chunk of a screen is fetched when it is first shown. */
function Screen({ route }: { route: Route }) {
  const loaded = useSignal<{ path: string; show: ComponentType } | null>(null);
  useEffect(() => {
    void route.load().then((chunk) => (loaded.value = { path: route.path, show: chunk.default }));
  }, [route]);
  const { value } = loaded;
  if (value?.path !== route.path) return <Skeleton rows={8} kind="tile" />;
  return <value.show />;
}

function ZoneChip() {
  const { zone, clock } = usePage();
  const value = zone.value.value;
  const next = value === "local" ? "utc" : "local";
  return (
    <button
      type="button"
      class="zone"
      title="Time zone of all times on this page"
      onClick={() => zone.set(next)}
    >
      {value === "utc" ? "UTC" : `local · ${zoneName(clock.read(), "local")}`}
    </button>
  );
}

function useFrameKeys(toggleKeys: () => void): void {
  const { keys, router } = usePage();
  useEffect(
    () =>
      keys.add([
        { keys: "?", label: "Show the keys", group: "Page", run: toggleKeys },
        ...ROUTES.map((route) => ({
          keys: `g ${route.key}`,
          label: `Go to ${route.name}`,
          group: "Page",
          run: () => router.go(route.path),
        })),
      ]),
    [keys, router],
  );
}

/** A tab in the background still tells how many services need attention. */
function useTitle(): void {
  const { store } = usePage();
  const services = store.services.value.value ?? [];
  const n = counts(services);
  const bad = n.down + n.degraded;
  useEffect(() => {
    document.title = bad > 0 ? `(${bad}) Alicia` : "Alicia";
  }, [bad]);
}
