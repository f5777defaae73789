/** The screens: one row each, one chunk each. A screen that is not here has no link anywhere. */

import type { ComponentType } from "preact";
import type { IconName } from "../ui/icons";

export interface Route {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  /** The second key of `g …`. */
  readonly key: string;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

export const ROUTES: readonly Route[] = [
  { path: "/", name: "Wall", icon: "wall", key: "w", load: () => import("../screens/wall") },
];

/** The screen of a path; an unknown one, perhaps of a later version, is the first. */
export function routeOf(path: string): Route {
  const found = ROUTES.find((r) => r.path === path) ?? ROUTES[0];
  if (!found) throw new Error("the page has no screens");
  return found;
}
