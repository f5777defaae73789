/** Is all well? The first words of the page, and the figures of the collector. */

import { compact } from "../../base/format";
import { usePage } from "../../data/context";
import type { Service, Stats } from "../../data/types";
import { Mark } from "../../ui/status";
import { verdict } from "./model";

export function Headline({ services }: { services: readonly Service[] | null }) {
  const { store } = usePage();
  const said = services && verdict(services);
  return (
    <div class="headline">
      <div class="verdict" data-testid="verdict">
        <Mark status={said?.tone ?? "unknown"} />
        <h1>{said?.text ?? "Looking at the fleet"}</h1>
        <p>{said ? said.detail || busWords(store.stats.value.value) : "asking the collector"}</p>
      </div>
      <Figures stats={store.stats.value.value} services={services?.length ?? null} />
    </div>
  );
}

/** What else is well, where nothing is wrong. */
function busWords(stats: Stats | null): string {
  return stats?.bus.connected ? `listening on ${stats.bus.address}` : "";
}

function Figures({ stats, services }: { stats: Stats | null; services: number | null }) {
  const figures: readonly [string, number | null][] = [
    ["services", services],
    ["messages/s", stats?.bus.messages_per_second ?? null],
    ["samples/s", stats?.samples_per_second ?? null],
    ["series", stats?.series ?? null],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name} data-testid={`figure-${name}`}>
          <dt>{name}</dt>
          <dd>{compact(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
