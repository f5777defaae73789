/** Tells screen readers which services changed: politely, at most once in five seconds. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { usePage } from "../data/context";
import type { Service, Status } from "../data/types";

const EVERY_MS = 5000;

/** "stt_service is down, 2 more changed"; empty where nothing changed. Pure. */
export function changeWords(
  before: ReadonlyMap<string, Status>,
  services: readonly Service[],
): string {
  const changed = services.filter((s) => {
    const old = before.get(s.service_name);
    return old !== undefined && old !== s.status;
  });
  const [first] = changed;
  if (!first) return "";
  const more = changed.length > 1 ? `, ${changed.length - 1} more changed` : "";
  return `${first.service_name} is ${first.status}${more}`;
}

export function Announcer() {
  const { store, clock } = usePage();
  const words = useSignal("");
  const told = useRef<ReadonlyMap<string, Status>>(new Map());
  const toldAt = useRef(0);
  useSignalEffect(() => {
    const services = store.services.value.value;
    // The clock is read too, so that what was held back is told later.
    if (!services || clock.now.value - toldAt.current < EVERY_MS) return;
    const next = changeWords(told.current, services);
    told.current = new Map(services.map((s) => [s.service_name, s.status]));
    if (next === "") return;
    toldAt.current = clock.now.value;
    words.value = next;
  });
  return (
    <p class="visually-hidden" aria-live="polite" data-testid="announcer">
      {words.value}
    </p>
  );
}
