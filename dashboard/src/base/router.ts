/** The hash of the address is the state of the page: a path and a query. */

import { signal, type ReadonlySignal } from "@preact/signals";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What the router needs of a window; `replace` makes no entry in the history. */
export interface AddressBar {
  hash(): string;
  push(hash: string): void;
  replace(hash: string): void;
  onChange(listener: () => void): void;
}

export interface Router {
  readonly place: ReadonlySignal<Place>;
  /** Another screen, with a fresh query. */
  go(path: string): void;
  /** Set some parameters, keep the others; null and "" remove one. */
  set(changes: Readonly<Record<string, string | null>>, how?: "push" | "replace"): void;
  /** The address of this screen with some parameters changed, for links. */
  href(changes: Readonly<Record<string, string | null>>): string;
}

/** Parse `#/path?query`; anything else is the start screen. */
export function parsePlace(hash: string): Place {
  const text = hash.startsWith("#/") ? hash.slice(1) : "/";
  const cut = text.indexOf("?");
  const path = cut < 0 ? text : text.slice(0, cut);
  return { path, query: new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1)) };
}

/** Format a place so that equal states have equal addresses: parameters sorted, empty ones gone. */
export function formatPlace(place: Place): string {
  const pairs = [...place.query].filter(([, value]) => value !== "");
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  const query = new URLSearchParams(pairs).toString();
  return `#${place.path}${query === "" ? "" : `?${query}`}`;
}

export function changed(place: Place, changes: Readonly<Record<string, string | null>>): Place {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return { path: place.path, query };
}

export function createRouter(bar: AddressBar): Router {
  const place = signal(parsePlace(bar.hash()));
  const read = () => {
    const next = parsePlace(bar.hash());
    if (formatPlace(next) !== formatPlace(place.value)) place.value = next;
  };
  bar.onChange(read);
  return {
    place,
    go(path) {
      bar.push(formatPlace({ path, query: new URLSearchParams() }));
      read();
    },
    set(changes, how = "replace") {
      const hash = formatPlace(changed(place.value, changes));
      if (hash === formatPlace(place.value)) return;
      if (how === "push") bar.push(hash);
      else bar.replace(hash);
      read();
    },
    href: (changes) => formatPlace(changed(place.value, changes)),
  };
}

export function windowBar(win: Window): AddressBar {
  return {
    hash: () => win.location.hash,
    push: (hash) => {
      win.location.hash = hash;
    },
    replace: (hash) => win.location.replace(hash),
    onChange: (listener) => win.addEventListener("hashchange", listener),
  };
}
