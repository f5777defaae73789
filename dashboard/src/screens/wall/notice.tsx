/** What is missing on the way from the bus to the page, and the command that mends it. */

import { clockText, plural, span } from "../../base/format";
import { usePage } from "../../data/context";
import { OURS } from "../../data/groups";
import type { Service, Stats } from "../../data/types";
import { Empty } from "../../ui/empty";

export interface Notice {
  readonly text: string;
  readonly command: string;
}

/** The first gap between bus and wall, or null where all works. Pure. */
export function busNotice(
  stats: Stats | null,
  services: readonly Service[],
  now: number,
): Notice | null {
  if (!stats) return null;
  const { connected, address, messages, last_message: last } = stats.bus;
  const others = services.filter((s) => !OURS.has(s.service_name));
  if (connected === false) {
    const where = address === "" ? "" : ` at ${address}`;
    return { text: `HTTP works; no bus${where}.`, command: "alicia doctor" };
  }
  if (connected !== true || others.some((s) => s.status !== "unknown")) return null;
  if (others.length > 0) {
    const senders = plural(others.length, "sender");
    return { text: `${senders}, none answers the health poke.`, command: "alicia doctor" };
  }
  if (messages === 0 || last === null) {
    return { text: "Connected to the bus, nothing heard yet.", command: "alicia demo" };
  }
  return { text: `Connected to the bus, no service heard for ${span(now - last)}.`, command: "alicia demo" };
}

/** Without the collector everything on the page is the past. */
export function StaleNotice({ since }: { since: number }) {
  const { clock, zone } = usePage();
  const then = clockText(since, clock.read(), zone.value.value);
  return (
    <div class="notice" role="status" data-testid="stale">
      <Empty command="alicia up">The collector does not answer; all this is as of {then}.</Empty>
    </div>
  );
}

export function BusNotice({ services }: { services: readonly Service[] | null }) {
  const { store, clock } = usePage();
  const notice = busNotice(store.stats.value.value, services ?? [], clock.read());
  if (!notice || !services) return null;
  return (
    <div class="notice" role="status" data-testid="notice">
      <Empty command={notice.command}>{notice.text}</Empty>
    </div>
  );
}
