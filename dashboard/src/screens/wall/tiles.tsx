/** The tiles of the wall; those out of view hold nothing but name and status. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { everyWords, measure, metricWords, plural } from "../../base/format";
import { Bars } from "../../charts/bars";
import { Spark } from "../../charts/spark";
import type { SparkData, Sparks } from "../../data/sparks";
import type { ScheduledEvent, Service } from "../../data/types";
import { Mark, StatusWord } from "../../ui/status";
import { Ago, Countdown } from "../../ui/time";
import { sentence, whyOf, type Group } from "./model";

export interface TileExtras {
  readonly sparks: Sparks;
  readonly alertCount: ReadonlyMap<string, number>;
  readonly nextRun: ReadonlyMap<string, ScheduledEvent & { next_run: number }>;
  readonly hrefOf: (service: string) => string;
}

export function Groups({ groups, extras }: { groups: readonly Group[]; extras: TileExtras }) {
  return (
    <>
      {groups.map((group) => (
        <section key={group.name} class="group" aria-label={`Group ${group.name}`}>
          <h3 class="group-name">
            {group.name} <span class="count">{group.services.length}</span>
          </h3>
          <ul class="tiles">
            {group.services.map((service) => (
              <Tile key={service.service_name} service={service} extras={extras} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** Tiles this far outside the window are made ready already. */
const MARGIN = "300px";

function Tile({ service, extras }: { service: Service; extras: TileExtras }) {
  const { service_name: name, status } = service;
  const item = useRef<HTMLLIElement>(null);
  const near = useSignal(false);
  useEffect(() => {
    if (!item.current) return undefined;
    const watcher = new IntersectionObserver(([entry]) => (near.value = !!entry?.isIntersecting), {
      rootMargin: MARGIN,
    });
    watcher.observe(item.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <li ref={item}>
      <a
        class={`tile tile-${status}`}
        href={extras.hrefOf(name)}
        data-testid="tile"
        data-service={name}
        data-status={status}
        title={sentence(service)}
      >
        <span class="tile-head">
          <Mark status={status} />
          <span class="tile-name">{name}</span>
          <StatusWord status={status} />
        </span>
        {near.value && <Body service={service} extras={extras} />}
      </a>
    </li>
  );
}

function Body({ service, extras }: { service: Service; extras: TileExtras }) {
  const line = useSpark(extras.sparks, service.service_name);
  return (
    <>
      <span class="tile-reason">
        {service.status === "up" ? (
          <>
            seen <Ago at={service.last_seen} />
          </>
        ) : (
          whyOf(service)
        )}
      </span>
      <SparkRow line={line} />
      <Bars bars={service.bars} />
      <Facts service={service} extras={extras} />
    </>
  );
}

function SparkRow({ line }: { line: SparkData | null }) {
  if (!line) return <span class="tile-spark" />;
  const last = line.series.v.findLast((v) => v !== null);
  return (
    <span class="tile-spark" title={line.metric}>
      <Spark series={line.series} />
      <b>{measure(last, line.unit)}</b>
      <small>{metricWords(line.metric)}</small>
    </span>
  );
}

/** What is worth a word, most urgent first; a tile without any says how often it reports. */
function Facts({ service, extras }: { service: Service; extras: TileExtras }) {
  const alerts = extras.alertCount.get(service.service_name) ?? 0;
  const next = extras.nextRun.get(service.service_name);
  const quiet = alerts === 0 && service.restarts === 0 && !next;
  return (
    <span class="tile-facts">
      {alerts > 0 && <span class="fact fact-alert">{plural(alerts, "alert")}</span>}
      {service.restarts > 0 && <span class="fact">{plural(service.restarts, "restart")}</span>}
      {next && (
        <span class="fact fact-next" title={next.name}>
          next <Countdown at={next.next_run} />
        </span>
      )}
      {quiet && service.cadence !== null && <span>{everyWords(service.cadence)}</span>}
    </span>
  );
}

function useSpark(sparks: Sparks, service: string): SparkData | null {
  const line = useSignal<SparkData | null>(null);
  useEffect(() => {
    const watched = sparks.watch(service);
    const unsubscribe = watched.line.subscribe((value) => (line.value = value));
    return () => {
      unsubscribe();
      watched.stop();
    };
  }, [sparks, service]);
  return line.value;
}
