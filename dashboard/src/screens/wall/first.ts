/** Whose chart stands first, until somebody picks one. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { usePage } from "../../data/context";
import { OURS } from "../../data/groups";
import type { Sparks } from "../../data/sparks";
import type { Service } from "../../data/types";
import { grouped } from "./model";

/** The host that the collector runs on and measures: it is there without any fleet. */
export const HOST = "system";
/** The fleet's own lines are waited for this long, so that the chart does not change at once. */
const WAIT_MS = 2000;

/** Services of the fleet that speak, those in trouble first, in the order of the wall. Pure. */
export function speakers(services: readonly Service[]): readonly string[] {
  const speaking = services.filter(
    ({ service_name: name, status }) => !OURS.has(name) && (status === "degraded" || status === "up"),
  );
  return grouped(speaking).flatMap((group) => group.services.map((s) => s.service_name));
}

/**
 * The first speaker, if its tile has a line; later any whose tile has one, else the host.
 * "" while it is too early to tell; `names` is null before the services are known. Pure.
 */
export function firstOf(
  names: readonly string[] | null,
  drawn: ReadonlySet<string>,
  waited: boolean,
): string {
  const first = names?.[0];
  if (first !== undefined && drawn.has(first)) return first;
  if (!waited && (names === null || first !== undefined)) return "";
  return names?.find((name) => drawn.has(name)) ?? HOST;
}

/** A service of the fleet, once chosen, stays; the host gives way to it. */
export function useFirst(sparks: Sparks): string {
  const { store, clock } = usePage();
  const began = useMemo(clock.read, [clock]);
  const chosen = useSignal("");
  const names = useComputed(() => {
    const services = store.services.value.value;
    return services && speakers(services);
  });
  const waited = useComputed(() => clock.now.value - began >= WAIT_MS);
  useSignalEffect(() => {
    if (chosen.peek() === "" || chosen.peek() === HOST) {
      chosen.value = firstOf(names.value, sparks.drawn.value, waited.value);
    }
  });
  return chosen.value;
}
