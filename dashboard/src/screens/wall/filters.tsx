/** Counts per status that filter, and the search field. */

import type { Status } from "../../data/types";
import type { Param } from "../../base/params";
import { icons } from "../../ui/icons";
import { Mark } from "../../ui/status";

interface FilterProps {
  /** Null before the services are known. */
  readonly counts: Readonly<Record<Status, number>> | null;
  readonly shown: number;
  readonly total: number;
  readonly statuses: Param<readonly Status[]>;
  readonly text: Param<string>;
}

/** As one says it: "20 up, 1 degraded, 1 down". */
const ORDER = ["up", "degraded", "down", "unknown", "muted"] as const satisfies readonly Status[];

export function Filters({ counts, shown, total, statuses, text }: FilterProps) {
  const chosen = statuses.value.value;
  const toggle = (status: Status) =>
    statuses.set(chosen.includes(status) ? chosen.filter((s) => s !== status) : [...chosen, status]);
  return (
    <div class="filters">
      <div class="chips" role="group" aria-label="Filter by status">
        {ORDER.map((status) => (
          <button
            key={status}
            type="button"
            class={`chip chip-${status}`}
            aria-pressed={chosen.includes(status)}
            data-count={counts?.[status] ?? 0}
            onClick={() => toggle(status)}
          >
            <Mark status={status} />
            <b>{counts?.[status] ?? "–"}</b> {status}
          </button>
        ))}
      </div>
      <SearchField text={text} />
      <span class="shown" aria-live="off">
        {shown < total ? `${shown} of ${total}` : ""}
      </span>
    </div>
  );
}

export const SEARCH_ID = "wall-search";

function SearchField({ text }: { text: Param<string> }) {
  return (
    <label class="search">
      <icons.search />
      <input
        id={SEARCH_ID}
        type="search"
        placeholder="Find a service"
        aria-label="Find a service"
        autocomplete="off"
        spellcheck={false}
        value={text.value.value}
        onInput={(e) => text.set(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key !== "Escape") return;
          text.set("");
          e.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}
