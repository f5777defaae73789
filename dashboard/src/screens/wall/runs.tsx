/** The next three runs, with countdowns. */

import { clockText } from "../../base/format";
import { usePage } from "../../data/context";
import type { ScheduledEvent } from "../../data/types";
import { Card } from "../../ui/card";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { Countdown } from "../../ui/time";
import { targetOf, upcoming } from "./model";

const SHOWN_MAX = 3;

export function RunsCard() {
  const { events } = usePage().store;
  const list = events.value.value;
  const error = events.problem.value;
  const next = upcoming(list ?? []);
  return (
    <Card
      area="runs"
      label="Next runs"
      title={<>Next runs {list && <span class="count">{next.length}</span>}</>}
      stale={error !== null}
    >
      {error && error.status !== 502 && <Problem error={error} what="Events" onRetry={events.refresh} />}
      {error?.status === 502 && <Empty command="alicia scheduler">The scheduler does not answer.</Empty>}
      {!list && !error && <Skeleton rows={3} kind="row" />}
      {list && !error && next.length === 0 && (
        <Empty command="alicia events add hello --every 1m --topic alicia/hello">Nothing is scheduled.</Empty>
      )}
      {next.length > 0 && (
        <ul class="rows">
          {next.slice(0, SHOWN_MAX).map((e) => (
            <RunRow key={e.event_id} event={e} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function RunRow({ event }: { event: ScheduledEvent & { next_run: number } }) {
  const { clock, zone } = usePage();
  const when = clockText(event.next_run, clock.read(), zone.value.value);
  const target = targetOf(event);
  return (
    <li class="row" data-testid="run">
      <span class="row-main">
        <span class="row-title">{event.name}</span>
        <span class="row-sub">
          {target !== "" && `${target} · `}
          {event.schedule_text}
        </span>
      </span>
      <span class="row-end">
        <b class="row-count">
          <Countdown at={event.next_run} />
        </b>
        <span class="row-sub">{when}</span>
      </span>
    </li>
  );
}
