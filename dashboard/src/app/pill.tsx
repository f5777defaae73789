/** How current the page is: live, reconnecting, or stale since. */

import { span } from "../base/format";
import { usePage } from "../data/context";
import { staleSince, type LinkState } from "../data/stream";

export interface PillWords {
  readonly tone: "live" | "trying" | "stale";
  readonly text: string;
}

export function pillWords(state: LinkState, now: number): PillWords {
  switch (state.phase) {
    case "live":
      return { tone: "live", text: "live" };
    case "connecting":
      return { tone: "trying", text: "connecting" };
    case "paused":
      return { tone: "trying", text: "paused" };
    case "waiting": {
      const retry = `retry in ${Math.max(0, Math.ceil((state.retryAt - now) / 1000))} s`;
      return staleSince(state, now) === null
        ? { tone: "trying", text: `reconnecting · ${retry}` }
        : { tone: "stale", text: `stale for ${span(now - state.since)} · ${retry}` };
    }
  }
}

export function Pill() {
  const { link, clock } = usePage();
  const words = pillWords(link.value, link.value.phase === "waiting" ? clock.now.value : 0);
  return (
    <span class={`pill pill-${words.tone}`} role="status" data-testid="pill" data-tone={words.tone}>
      <span class="pill-dot" aria-hidden="true" />
      {words.text}
    </span>
  );
}
