/** The left rail, below 640 px the bottom bar: screens that exist, and the page's own controls. */

import { usePage } from "../data/context";
import { icons } from "../ui/icons";
import { ROUTES, routeOf } from "./routes";
import type { Theme } from "./theme";

export function Rail({ theme, onKeys }: { theme: Theme; onKeys: () => void }) {
  const { router } = usePage();
  const current = routeOf(router.place.value.path);
  const choice = theme.choice.value;
  const ThemeIcon = icons[choice];
  return (
    <nav class="rail" aria-label="Screens">
      <span class="brand" aria-hidden="true">
        <span class="brand-mark" />
      </span>
      <ul>
        {ROUTES.map((route) => {
          const RouteIcon = icons[route.icon];
          return (
            <li key={route.path}>
              <a href={`#${route.path}`} aria-current={route === current ? "page" : undefined}>
                <RouteIcon />
                {route.name}
              </a>
            </li>
          );
        })}
      </ul>
      <div class="rail-end">
        <a href="/docs">
          <icons.docs />
          API
        </a>
        <button type="button" onClick={onKeys}>
          <icons.keys />
          Keys
        </button>
        <button type="button" onClick={theme.next} aria-label={`Theme: ${choice}`}>
          <ThemeIcon />
          {choice}
        </button>
      </div>
    </nav>
  );
}
