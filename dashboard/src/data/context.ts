/** What a component may ask for; made once at boot, no module holds state. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ReadonlySignal } from "@preact/signals";
import type { Clock } from "../base/clock";
import type { Zone } from "../base/format";
import type { Keymap } from "../base/keys";
import type { Param } from "../base/params";
import type { Router } from "../base/router";
import type { Api } from "./api";
import type { Store } from "./store";
import type { LinkState } from "./stream";

export interface Page {
  readonly api: Api;
  readonly store: Store;
  readonly router: Router;
  readonly clock: Clock;
  readonly keys: Keymap;
  readonly link: ReadonlySignal<LinkState>;
  readonly zone: Param<Zone>;
  /** The theme in force, for what is drawn without style sheets. */
  readonly theme: ReadonlySignal<"light" | "dark">;
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("a component stands outside the page");
  return page;
}
