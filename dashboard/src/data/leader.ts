/** One live stream per browser: a lock elects the tab that holds it, a channel shares it. */

import { signal, type ReadonlySignal } from "@preact/signals";
import type { ServerEvent } from "./sse";
import { createStream, type LinkState, type StreamPorts } from "./stream";

export interface LivePorts extends Pick<StreamPorts, "fetch" | "now" | "random"> {
  /** Absent outside secure contexts; then every tab holds a stream of its own. */
  readonly locks: LockManager | undefined;
  readonly channel: BroadcastChannel;
  readonly visible: () => boolean;
  readonly onVisible: (listener: () => void) => void;
  readonly onEvent: (event: ServerEvent) => void;
}

export interface Live {
  readonly state: ReadonlySignal<LinkState>;
  start(): void;
}

type Note =
  | { readonly say: "event"; readonly event: ServerEvent }
  | { readonly say: "state"; readonly state: LinkState }
  | { readonly say: "tab"; readonly tab: string; readonly visible: boolean };

/** With all tabs hidden for this long nobody looks: the stream is closed. */
export const HIDDEN_MS = 60_000;
const LOCK = "alicia-live";

export function createLive(url: string, ports: LivePorts): Live {
  const state = signal<LinkState>({ phase: "connecting" });
  const tab = String(ports.random());
  const looking = new Set<string>();
  let leading = false;
  let lastId = "";
  let hidden: ReturnType<typeof setTimeout> | undefined;

  const say = (note: Note) => ports.channel.postMessage(note);
  const take = (event: ServerEvent) => {
    lastId = event.id || lastId;
    ports.onEvent(event);
  };
  const stream = createStream(url, {
    ...ports,
    onEvent: (event) => {
      take(event);
      say({ say: "event", event });
    },
    onState: (next) => {
      state.value = next;
      say({ say: "state", state: next });
    },
  });

  const judge = () => {
    clearTimeout(hidden);
    if (!leading) return;
    if (looking.size > 0) stream.open(lastId);
    else hidden = setTimeout(() => stream.close(), HIDDEN_MS);
  };
  const seen = (who: string, visible: boolean) => {
    if (visible) looking.add(who);
    else looking.delete(who);
    judge();
  };
  const announce = () => {
    const visible = ports.visible();
    say({ say: "tab", tab, visible });
    seen(tab, visible);
  };
  const hear = (note: Note) => {
    if (note.say === "tab") {
      seen(note.tab, note.visible);
      if (leading) say({ say: "state", state: state.value });
    } else if (leading) {
      return; // two tabs lead for an instant when one closes: each believes itself
    } else if (note.say === "event") {
      take(note.event);
    } else {
      state.value = note.state;
    }
  };
  const lead = () => {
    leading = true;
    judge();
  };
  return {
    state,
    start() {
      ports.channel.onmessage = (message: MessageEvent<Note>) => hear(message.data);
      ports.onVisible(announce);
      announce();
      if (!ports.locks) return lead();
      // Held until the tab closes: the promise never ends.
      void ports.locks.request(LOCK, () => {
        lead();
        return new Promise(() => undefined);
      });
    },
  };
}
