/** The wall: every service of the fleet, worst first, with what is wrong and what runs next. */

import { untracked, useComputed, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { param, someOf, text } from "../base/params";
import { usePage } from "../data/context";
import { counts } from "../data/counts";
import { createSparks } from "../data/sparks";
import { staleSince } from "../data/stream";
import { STATUSES } from "../data/types";
import { Empty, Problem, Skeleton } from "../ui/empty";
import { AlertsCard } from "./wall/alerts";
import { ChartCard } from "./wall/chart";
import { Detail } from "./wall/detail";
import { Filters } from "./wall/filters";
import { Headline } from "./wall/headline";
import { byService, filtered, grouped } from "./wall/model";
import { BusNotice, StaleNotice } from "./wall/notice";
import { RunsCard } from "./wall/runs";
import { Groups } from "./wall/tiles";
import { useWallKeys } from "./wall/wallkeys";

export default function Wall() {
  const { store, router, api, clock, link } = usePage();
  const params = useMemo(
    () => ({
      statuses: param(router, "status", someOf(...STATUSES)),
      text: param(router, "q", text),
      open: param(router, "service", text),
    }),
    [router],
  );
  const sparks = useMemo(() => createSparks(api, clock.read), [api, clock]);
  useSignalEffect(() => {
    if (store.tick.value > 0) untracked(sparks.tick);
  });
  useWallKeys();
  const since = useComputed(() => staleSince(link.value, clock.now.value)).value;

  const all = store.services.value.value;
  const error = store.services.problem.value;
  const shown = filtered(all ?? [], {
    text: params.text.value.value,
    statuses: params.statuses.value.value,
  });
  const extras = {
    sparks,
    ...byService(store.alerts.value.value ?? [], store.events.value.value ?? []),
    hrefOf: params.open.href,
  };
  const open = all?.find((s) => s.service_name === params.open.value.value);
  return (
    <div class={since === null ? "wall" : "wall wall-stale"}>
      <Headline services={all} />
      {since === null ? <BusNotice services={all} /> : <StaleNotice since={since} />}
      <div class="overview">
        <AlertsCard hrefOf={params.open.href} />
        <RunsCard />
        <ChartCard services={all ?? []} sparks={sparks} />
      </div>
      <Filters
        counts={all && counts(all)}
        shown={shown.length}
        total={all?.length ?? 0}
        statuses={params.statuses}
        text={params.text}
      />
      {error && <Problem error={error} what="Services" onRetry={store.services.refresh} />}
      <div class={error ? "groups stale" : "groups"} data-testid="groups">
        {!all && !error && <Skeleton rows={10} kind="tile" />}
        {all && all.length > 0 && shown.length === 0 && <Empty>No service matches the filter.</Empty>}
        <Groups groups={grouped(shown)} extras={extras} />
      </div>
      {open && (
        <Detail
          key={open.service_name}
          service={open}
          onClose={() => params.open.set("")}
          onMetric={(metric) =>
            router.set({ cs: open.service_name, cm: metric, zoom: null, service: null })
          }
        />
      )}
    </div>
  );
}
