/** Typed views of single query parameters. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Router } from "./router";

export interface Param<T> {
  readonly value: ReadonlySignal<T>;
  set(value: T, how?: "push" | "replace"): void;
  href(value: T): string;
}

export interface Codec<T> {
  parse(text: string | null): T;
  /** null: the default, which stands in no address. */
  format(value: T): string | null;
}

export const text: Codec<string> = {
  parse: (value) => value ?? "",
  format: (value) => (value === "" ? null : value),
};

/** One of the listed words; an unknown one is the first, which is the default. */
export function oneOf<T extends string>(...words: readonly [T, ...T[]]): Codec<T> {
  return {
    parse: (value) => words.find((word) => word === value) ?? words[0],
    format: (value) => (value === words[0] ? null : value),
  };
}

/** A set of listed words, kept in the order of the list; unknown ones are dropped. */
export function someOf<T extends string>(...words: readonly T[]): Codec<readonly T[]> {
  return {
    parse: (value) => {
      const given = new Set((value ?? "").split(" "));
      return words.filter((word) => given.has(word));
    },
    format: (value) => (value.length === 0 ? null : words.filter((w) => value.includes(w)).join(" ")),
  };
}

export function param<T>(router: Router, name: string, codec: Codec<T>): Param<T> {
  const raw = computed(() => router.place.value.query.get(name));
  const value = computed(() => codec.parse(raw.value));
  return {
    value,
    set: (next, how) => router.set({ [name]: codec.format(next) }, how),
    href: (next) => router.href({ [name]: codec.format(next) }),
  };
}
